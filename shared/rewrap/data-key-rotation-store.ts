import type { OrgTransaction } from '../db/index.ts';
import type { DataKeyRotation, DataKeyRotationId } from './data-key-rotation.ts';

/**
 * Rotations, all in the platform's own scope. `add` is false while another of the same purpose is open, and
 * supersedes one that only retires. `save` is false when it is not any more as `read`: another run took it further, or
 * it was superseded. `list` is newest first; `listOpen` oldest first, those that have not ended.
 */
export type DataKeyRotationStore = {
  add(tx: OrgTransaction, rotation: DataKeyRotation): Promise<boolean>;
  save(
    tx: OrgTransaction,
    rotation: DataKeyRotation,
    read: Pick<DataKeyRotation, 'status' | 'updatedAt'>,
  ): Promise<boolean>;
  find(tx: OrgTransaction, id: DataKeyRotationId): Promise<DataKeyRotation | undefined>;
  list(
    tx: OrgTransaction,
    page: { readonly limit: number; readonly before?: DataKeyRotationId },
  ): Promise<DataKeyRotation[]>;
  listOpen(tx: OrgTransaction): Promise<DataKeyRotation[]>;
};
