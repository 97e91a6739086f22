/**
 * The keys that sign access tokens. A next key is published before it signs and an old one verifies until its last
 * token has died, so no verifier ever meets a key it cannot know.
 *
 * Invariants: what a key may do follows from its instants and the clock; a private part is readable nowhere at rest
 * and erased when its key retires; every publication and retirement is recorded in its own transaction.
 *
 * @example
 * const rotated = await rotateSigningKeys(deps);
 * const keys = openSigningKeySet({ pool, store: postgresSigningKeyStore, clock });
 * const signer = activeKey(await keys.current(), clock.now());
 */
export { createSigningKeyPair, type SigningKeyPair, thumbprintOf } from './create-signing-key.ts';
export { openPrivateJwk } from './open-private-jwk.ts';
export { type RequestRotationDeps, requestRotation } from './request-rotation.ts';
export { type RotateSigningKeysDeps, type Rotation, rotateSigningKeys } from './rotate-signing-keys.ts';
export {
  activeKey,
  clockSkewSecondsMax,
  dueActivation,
  isRetired,
  newestKey,
  type PublicJwk,
  type RotationPolicy,
  type SigningKey,
  verifyingKeys,
  verifyUntilAfter,
} from './signing-key.ts';
export type { PrivateKeyFailure, RotationFailure } from './signing-key-failure.ts';
export {
  openSigningKeySet,
  type SigningKeySet,
  type SigningKeySetOptions,
  type VerifyingKey,
} from './signing-key-set.ts';
export { type RotationRequest, type SigningKeyStore, signingKeyChannel } from './signing-key-store.ts';
