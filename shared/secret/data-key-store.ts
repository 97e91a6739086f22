import type { OrgTransaction, SystemTransaction } from '../db/index.ts';

export type StoredDataKey = {
  readonly dataKeyId: string;
  readonly purpose: string;
  readonly version: number;
  readonly wrappedKey: Uint8Array;
  readonly wrappingKeyId: string;
  readonly createdAt: Date;
  /** When it begins to seal. It opens from the start. */
  readonly activeFrom: Date;
};

/** Data keys belong to no organization: any transaction sees them. */
type AnyTransaction = SystemTransaction | OrgTransaction;

/**
 * Versions of a purpose start at 1; the newest is never destroyed, so a number is never used twice. `list` gives them
 * oldest first. `add` is false when another process added that version first.
 * `listWrappedOtherwise` gives what any other wrapping key than this wrapped. `replaceWrapped` is false when the
 * wrapped bytes are not those of `key` any more.
 * `destroy` ends what no row needs of the versions below one, save `kept`, and tells which: a version that a row needs
 * stays, and so do all after it. Throws unless a successor seals by now.
 */
export type DataKeyStore = {
  list(tx: AnyTransaction, purpose: string): Promise<StoredDataKey[]>;
  add(tx: AnyTransaction, key: StoredDataKey): Promise<boolean>;
  listWrappedOtherwise(tx: AnyTransaction, wrappingKeyId: string): Promise<StoredDataKey[]>;
  replaceWrapped(
    tx: AnyTransaction,
    key: StoredDataKey,
    wrapped: { bytes: Uint8Array; wrappingKeyId: string },
  ): Promise<boolean>;
  destroy(
    tx: AnyTransaction,
    input: { purpose: string; below: number; kept: readonly number[] },
  ): Promise<number[]>;
};
