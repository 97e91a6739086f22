/**
 * The keys that sign access tokens. A next key is published before it signs and an old one verifies until its last
 * token has died, so no verifier ever meets a key it cannot know.
 *
 * Invariants: what a key may do follows from its instants and the clock; a private part is readable nowhere at rest
 * and erased when its key retires or is revoked; every publication, retirement and revocation is recorded in its own
 * transaction.
 *
 * @example
 * const rotated = await rotateSigningKeys(deps);
 * const keys = openSigningKeySet({ pool, store: postgresSigningKeyStore, clock });
 * const signer = activeKey(await keys.current(), { algorithm: 'EdDSA', now: clock.now() });
 */
export { createSigningKeyPair, type SigningKeyPair } from './create-signing-key.ts';
export {
  algorithmOf,
  type PrivateJwk,
  type PublicJwk,
  type SigningAlgorithm,
  signingAlgorithms,
  thumbprintOf,
} from './jwk.ts';
export { openPrivateJwk } from './open-private-jwk.ts';
export { type RequestRotationDeps, requestRotation } from './request-rotation.ts';
export { type RevokeSigningKeyDeps, revokeSigningKey } from './revoke-signing-key.ts';
export { type RotateSigningKeysDeps, type Rotation, rotateSigningKeys } from './rotate-signing-keys.ts';
export { activeKey, isRetired, type RotationPolicy, type SigningKey, verifyingKeys } from './signing-key.ts';
export type { PrivateKeyFailure, RotationFailure, UnknownSigningKey } from './signing-key-failure.ts';
export {
  openSigningKeySet,
  type SigningKeySet,
  type SigningKeySetOptions,
  type VerifyingKey,
} from './signing-key-set.ts';
export {
  type RevokedSigningKey,
  type RotationRequest,
  type SigningKeyStore,
  signingKeyChannel,
} from './signing-key-store.ts';
