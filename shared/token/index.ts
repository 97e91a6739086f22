/**
 * Access tokens (JWT, RFC 9068) of our issuer, verified; and the records that the issuer keeps.
 *
 * Invariants: a token is believed only by a key of ours that is not retired, under that key's algorithm, for this
 * issuer and audience; no record holds a readable token.
 *
 * @example
 * const verifier = createAccessTokenVerifier({ keys, issuer, audience, clock });
 * const verified = await verifier.verify(jwt);
 */
export {
  type AccessTokenClaims,
  type AccessTokenRefusal,
  type AccessTokenRefusalReason,
  type ActingParty,
  accessTokenTtlSeconds,
  actorsMax,
  type IssuedFor,
} from './access-token.ts';
export { type AccessTokenVerifier, createAccessTokenVerifier } from './access-token-verifier.ts';
export type { OidcRecord, OidcRecordLookup, OidcRecordStore, StoredOidcRecord } from './oidc-record-store.ts';
export { type PruneOidcRecordsDeps, pruneOidcRecords } from './prune-oidc-records.ts';
export { type VerifyAccessTokenDeps, verifyAccessToken } from './verify-access-token.ts';
