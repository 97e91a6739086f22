import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { DataKeyStore, KeyWrapper } from '../secret/index.ts';
import type { DataKeyRotationStore } from './data-key-rotation-store.ts';
import type { SealedRowStore } from './sealed-row-store.ts';

export type RewrapDeps = {
  readonly pool: DatabasePool;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventRecorder;
  readonly wrapper: KeyWrapper;
  readonly keys: DataKeyStore;
  readonly rotations: DataKeyRotationStore;
  readonly rows: SealedRowStore;
  readonly policy: RewrapPolicy;
};

export type RewrapPolicy = {
  /** From making a version to its first seal: longer than the `refreshSeconds` of a key ring. */
  readonly leadSeconds: number;
  /** How long an old version outlives the last row that needed it. */
  readonly graceSeconds: number;
  /** The most that one run takes. */
  readonly sliceSeconds: number;
  /** Rows of one transaction; 200 unless given. */
  readonly batchRows?: number;
};
