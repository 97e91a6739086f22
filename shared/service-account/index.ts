/**
 * An automation that acts for an organization. It owns API keys and is an OAuth client; it is never a person.
 *
 * Invariants: a name is taken once in its organization; a disabled account's credentials are all refused; state and
 * audit event share one transaction.
 *
 * @example
 * const created = await createServiceAccount(deps, { organizationId, name: 'ci', displayName: 'CI', actor });
 * await disableServiceAccount(deps, { organizationId, serviceAccountId, actor });
 */
export {
  type ChangeServiceAccountStatusInput,
  disableServiceAccount,
  enableServiceAccount,
} from './change-service-account-status.ts';
export { type CreateServiceAccountInput, createServiceAccount } from './create-service-account.ts';
export { findServiceAccount, listServiceAccounts } from './find-service-account.ts';
export { type ServiceAccount, serviceAccountNamePattern } from './service-account.ts';
export type { ServiceAccountDeps } from './service-account-deps.ts';
export type { ServiceAccountFailure } from './service-account-failure.ts';
export { type ServiceAccountId, serviceAccountId } from './service-account-id.ts';
export type { ServiceAccountStore } from './service-account-store.ts';
