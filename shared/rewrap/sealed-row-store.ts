import type { OrgTransaction, SystemTransaction } from '../db/index.ts';
import type { KeyValue, RotatedPurpose, SealedColumn } from './sealed-column.ts';

export type SealedRow = { readonly key: readonly KeyValue[]; readonly box: Uint8Array };
type AnyTransaction = OrgTransaction | SystemTransaction;

export type OrganizationPage = {
  /** Those that have rows to be sealed anew, in order. */
  readonly organizations: readonly { readonly id: string; readonly rows: number }[];
  /** The last one that was looked at; undefined when there was none. */
  readonly lookedUntil: string | undefined;
};

/**
 * Boxes wherever they are. A transaction reaches what row-level security lets it reach, so the caller visits one
 * organization after the other; `listOrganizations` does so too, within one statement.
 * `read` gives rows whose box needs an older version than `below`, in the order of their keys, after one of them.
 * `replace` leaves out every row whose box is not the one that was read: somebody has sealed it since.
 */
export type SealedRowStore = {
  listOrganizations(
    tx: OrgTransaction,
    input: { purpose: RotatedPurpose; below: number; after: string; organizationsMax: number },
  ): Promise<OrganizationPage>;
  count(tx: AnyTransaction, column: SealedColumn, below: number): Promise<number>;
  read(
    tx: AnyTransaction,
    column: SealedColumn,
    input: { below: number; after: readonly KeyValue[] | undefined; limit: number },
  ): Promise<SealedRow[]>;
  replace(
    tx: AnyTransaction,
    column: SealedColumn,
    rows: readonly (SealedRow & { readonly replacement: Uint8Array })[],
  ): Promise<number>;
};
