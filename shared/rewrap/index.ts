/**
 * Successors of keys that guard others. Under a new wrapping key every data key is wrapped anew; a new data key takes
 * over a purpose, every row is sealed anew with it, and the old one is destroyed.
 *
 * Invariants: at every moment, and killed at any, each row opens with a data key that is there; a version seals only
 * once every process can know it; the database lets no data key go that a row needs, and no row in that needs one that
 * is gone; no organization's rows are reached but under its own row-level security.
 *
 * @example
 * const requested = await requestDataKeyRotation(deps, { purpose: 'api-key-pepper', actor });
 * const advanced = await continueDataKeyRotations(deps); // with every tick
 */
export {
  type AdvancedRotations,
  continueDataKeyRotations,
  type RewrapBusy,
} from './continue-data-key-rotations.ts';
export {
  type DataKeyRotation,
  type DataKeyRotationId,
  type DataKeyRotationStatus,
  dataKeyRotationId,
} from './data-key-rotation.ts';
export type { DataKeyRotationStore } from './data-key-rotation-store.ts';
export { findDataKeyRotation, listDataKeyRotations } from './find-data-key-rotations.ts';
export {
  type DataKeyRotationFailure,
  type RequestDataKeyRotationDeps,
  requestDataKeyRotation,
} from './request-data-key-rotation.ts';
export { type RewrapDataKeysDeps, type RewrappedDataKeys, rewrapDataKeys } from './rewrap-data-keys.ts';
export type { RewrapDeps, RewrapPolicy } from './rewrap-deps.ts';
export { type RotatedPurpose, rotatedPurposes, type SealedColumn } from './sealed-column.ts';
export type { SealedRowStore } from './sealed-row-store.ts';
