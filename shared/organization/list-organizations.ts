import { withOrg } from '../db/index.ts';
import type { Organization } from './organization.ts';
import type { OrganizationDeps } from './organization-deps.ts';
import type { OrganizationId } from './organization-id.ts';

/** Newest first: every organization as seen from the platform's, and one's own as seen from any other. */
export async function listOrganizations(
  deps: Pick<OrganizationDeps, 'pool' | 'store'>,
  input: { seenFrom: OrganizationId; limit: number; before?: OrganizationId },
): Promise<Organization[]> {
  return withOrg(deps.pool, input.seenFrom, (tx) => deps.store.list(tx, input));
}
