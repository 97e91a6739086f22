/**
 * An automation that acts for an organization. It owns API keys and is an OAuth client; it is never a person, and
 * belongs to the organization or one of its teams, never to a person.
 *
 * Invariants: a name is taken once in its organization; a disabled, expired or deleted account's credentials are all
 * refused; an id is never given again, and a deleted account never works again; state and audit event share one
 * transaction.
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
export { type DeleteServiceAccountInput, deleteServiceAccount } from './delete-service-account.ts';
export { findServiceAccount, listServiceAccounts } from './find-service-account.ts';
export { type Labels, labelsSchema, parseLabelFilter } from './labels.ts';
export {
  type ServiceAccount,
  type ServiceAccountState,
  serviceAccountStates,
  stateOf,
} from './service-account.ts';
export type { ServiceAccountDeps } from './service-account-deps.ts';
export type { ServiceAccountFailure } from './service-account-failure.ts';
export { type ServiceAccountId, serviceAccountId } from './service-account-id.ts';
export type { ServiceAccountPage, ServiceAccountStore } from './service-account-store.ts';
export {
  type ServiceAccountChange,
  type UpdateServiceAccountInput,
  updateServiceAccount,
} from './update-service-account.ts';
