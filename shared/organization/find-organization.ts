import { withOrg } from '../db/index.ts';
import type { Organization } from './organization.ts';
import type { OrganizationDeps } from './organization-deps.ts';
import type { OrganizationId } from './organization-id.ts';

/** By id or name, as seen from an organization: undefined for what does not exist and for what is another's, alike. */
export async function findOrganization(
  deps: Pick<OrganizationDeps, 'pool' | 'store'>,
  input: { seenFrom: OrganizationId; reference: string },
): Promise<Organization | undefined> {
  return withOrg(deps.pool, input.seenFrom, (tx) => deps.store.find(tx, input.reference));
}
