import { withOrg } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountDeps } from './service-account-deps.ts';
import type { ServiceAccountId } from './service-account-id.ts';
import type { ServiceAccountPage } from './service-account-store.ts';

/** Deleted ones too. */
export async function findServiceAccount(
  deps: Pick<ServiceAccountDeps, 'pool' | 'store'>,
  input: { organizationId: OrganizationId; serviceAccountId: ServiceAccountId },
): Promise<ServiceAccount | undefined> {
  return withOrg(deps.pool, input.organizationId, (tx) => deps.store.find(tx, input.serviceAccountId));
}

/** Newest first; deleted ones only when asked for. */
export async function listServiceAccounts(
  deps: Pick<ServiceAccountDeps, 'pool' | 'store'>,
  { organizationId, ...page }: ServiceAccountPage & { organizationId: OrganizationId },
): Promise<ServiceAccount[]> {
  return withOrg(deps.pool, organizationId, (tx) => deps.store.list(tx, page));
}
