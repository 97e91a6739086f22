/**
 * Secrets at rest: envelope encryption. A `KeyWrapper` guards data keys, a `KeyRing` seals with them. What leaves
 * this module for a database or a log is sealed or hashed.
 *
 * @example
 * const ring = await openKeyRing({ pool, store: postgresDataKeyStore, wrapper, clock, random }, 'git-source');
 * const sealed = await ring.seal(secret, sourceId);
 */
export { createDataKey, wrapDataKeyAnew } from './data-key.ts';
export type { DataKeyStore, StoredDataKey } from './data-key-store.ts';
export { refreshSeconds } from './held-data-keys.ts';
export { type DataKey, type KeyPurpose, type KeyRing, type KeyRingDeps, openKeyRing } from './key-ring.ts';
export { type KeyWrapper, KeyWrapperError, type WrappedKey, type WrappedKeyFailure } from './key-wrapper.ts';
export { keyVersionOf, openBox, type SealedBoxFailure, sealBox } from './sealed-box.ts';
export { readSecretFile } from './secret-file.ts';
