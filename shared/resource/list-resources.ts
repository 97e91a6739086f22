import { withOrg } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Resource } from './resource.ts';
import type { ResourceDeps } from './resource-deps.ts';
import type { ResourcePage } from './resource-store.ts';

/** Of one type, by id. */
export async function listResources(
  deps: Pick<ResourceDeps, 'pool' | 'store'>,
  input: ResourcePage & { readonly organizationId: OrganizationId },
): Promise<Resource[]> {
  return withOrg(deps.pool, input.organizationId, (tx) => deps.store.list(tx, input));
}
