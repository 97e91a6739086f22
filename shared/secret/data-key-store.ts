import type { SystemTransaction } from '../db/index.ts';

export type StoredDataKey = {
  readonly dataKeyId: string;
  readonly purpose: string;
  readonly version: number;
  readonly wrappedKey: Uint8Array;
  readonly wrappingKeyId: string;
  readonly createdAt: Date;
};

/** Versions of a purpose start at 1 and have no gap. `add` is false when another process added that version first. */
export type DataKeyStore = {
  list(tx: SystemTransaction, purpose: string): Promise<StoredDataKey[]>;
  add(tx: SystemTransaction, key: StoredDataKey): Promise<boolean>;
};
