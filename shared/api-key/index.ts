/**
 * API keys of service accounts: issued once in the clear, kept as a keyed hash, revoked everywhere within a second.
 *
 * Invariants: the text of a key is never stored, logged or shown again; a revoked key never works again; state and
 * audit event share one transaction.
 *
 * @example
 * const issued = await issueApiKey(deps, { organizationId, serviceAccountId, actor, description: 'CI', environment: 'live' });
 * const known = await verifyApiKey(deps, text);
 */
export { type ApiKey, isUsable } from './api-key.ts';
export type { ApiKeyDeps } from './api-key-deps.ts';
export type { ApiKeyFailure, ApiKeyRefusal } from './api-key-failure.ts';
export { type ApiKeyId, apiKeyId } from './api-key-id.ts';
export type { ApiKeyForVerification, ApiKeyStore } from './api-key-store.ts';
export { type ApiKeyEnvironment, type ApiKeyText, fingerprintOf, parseApiKeyText } from './api-key-text.ts';
export { type IssueApiKeyInput, type IssuedApiKey, issueApiKey } from './issue-api-key.ts';
export { type RevokeApiKeyInput, revokeApiKey } from './revoke-api-key.ts';
export { verifyApiKey } from './verify-api-key.ts';
