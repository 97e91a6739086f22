import type { OrgTransaction } from '../db/index.ts';
import type { DataKeyRotation, DataKeyRotationId } from './data-key-rotation.ts';

/**
 * Rotations, all in the platform's own scope. `add` is false while another of the same purpose is open. `list` is
 * newest first; `listOpen` oldest first, those that are not finished.
 */
export type DataKeyRotationStore = {
  add(tx: OrgTransaction, rotation: DataKeyRotation): Promise<boolean>;
  save(tx: OrgTransaction, rotation: DataKeyRotation): Promise<void>;
  find(tx: OrgTransaction, id: DataKeyRotationId): Promise<DataKeyRotation | undefined>;
  list(
    tx: OrgTransaction,
    page: { readonly limit: number; readonly before?: DataKeyRotationId },
  ): Promise<DataKeyRotation[]>;
  listOpen(tx: OrgTransaction): Promise<DataKeyRotation[]>;
};
