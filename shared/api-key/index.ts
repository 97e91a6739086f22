/**
 * API keys: issued once in the clear, kept as a sealed digest, revoked everywhere within a second.
 *
 * Invariants: the text of a key is never stored, logged or shown again; a revoked key never works again; state and
 * audit event share one transaction.
 *
 * @example
 * const issued = await issueApiKey(deps, { organizationId, serviceAccountId, actor, description: 'CI', environment: 'live' });
 * const known = await verifyApiKey(deps, text);
 */
export {
  type AllowedNetworks,
  type Network,
  type NetworkFailure,
  openAllowedNetworks,
  parseNetwork,
} from './allowed-networks.ts';
export { type ApiKey, isUsable } from './api-key.ts';
export type { ApiKeyDeps } from './api-key-deps.ts';
export type { ApiKeyFailure, ApiKeyRefusal } from './api-key-failure.ts';
export { type ApiKeyId, apiKeyId } from './api-key-id.ts';
export { type ApiKeyOwner, toOwnerData, type UserId, userId } from './api-key-owner.ts';
export { type SealedSecret, sealSecret } from './api-key-secret.ts';
export type { ApiKeyFilter, ApiKeyForVerification, ApiKeyPage, ApiKeyStore } from './api-key-store.ts';
export {
  type ApiKeyEnvironment,
  type ApiKeyText,
  fingerprintOf,
  parseApiKeyText,
  parseFingerprint,
} from './api-key-text.ts';
export { type ChangeApiKeyStatusInput, disableApiKey, enableApiKey } from './change-api-key-status.ts';
export { type CredentialBounds, checkBounds } from './credential-bounds.ts';
export {
  type IssueApiKeyInput,
  type IssuedApiKey,
  type IssuePersonalApiKeyInput,
  issueApiKey,
  issuePersonalApiKey,
} from './issue-api-key.ts';
export {
  type CheckedScopes,
  type CheckScopesInput,
  checkReach,
  checkScopes,
  type ScopeFailure,
  scopesMax,
} from './key-scopes.ts';
export { type OwnerRights, policyOwnerRights } from './owner-rights.ts';
export { type RevokeApiKeyInput, revokeApiKey } from './revoke-api-key.ts';
export {
  type RevokeApiKeysInput,
  revokeApiKeys,
  revokedAtOnceMax,
  revokeKeysOf,
} from './revoke-api-keys.ts';
export {
  overlapSecondsDefault,
  overlapSecondsMax,
  type RotateApiKeyInput,
  type RotateFailure,
  rotateApiKey,
} from './rotate-api-key.ts';
export { type VerifiedApiKey, type VerifyApiKeyDeps, verifyApiKey } from './verify-api-key.ts';
