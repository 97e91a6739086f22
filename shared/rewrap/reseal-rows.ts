import {
  type DatabasePool,
  type OrgTransaction,
  type SystemTransaction,
  withOrg,
  withSystem,
} from '../db/index.ts';
import { invariant, type WorkSlice } from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import { type KeyValue, platformScope, type SealedColumn } from './sealed-column.ts';
import type { SealedRow, SealedRowStore } from './sealed-row-store.ts';

export type ResealDeps = { readonly pool: DatabasePool; readonly rows: SealedRowStore };

export type ResealInput = {
  readonly column: SealedColumn;
  /** Whose rows; ignored where the column is not an organization's. */
  readonly organizationId: string;
  /** Of the column's purpose; its current version is at least `below`. */
  readonly ring: KeyRing;
  readonly below: number;
  readonly slice: WorkSlice;
  readonly batchRows?: number | undefined;
};

export type Resealed = { readonly done: number; readonly unreadable: number };

const batchRowsDefault = 200;

/**
 * Seals every box of one column of one organization anew that needs an older version: batch by batch, each in its own
 * transaction, until the slice is over. Killed at any point, each row is as it was or sealed anew: both open. A box
 * that does not open is left as it is.
 */
export async function resealRows(deps: ResealDeps, input: ResealInput): Promise<Resealed> {
  let total: Resealed = { done: 0, unreadable: 0 };
  let after: readonly KeyValue[] | undefined;
  do {
    const batch = await input.slice.step(() => resealBatch(deps, input, after));
    total = { done: total.done + batch.done, unreadable: total.unreadable + batch.unreadable };
    after = batch.after;
  } while (after !== undefined && !input.slice.isOver());
  return total;
}

async function resealBatch(deps: ResealDeps, input: ResealInput, after: readonly KeyValue[] | undefined) {
  const { column, organizationId, below, batchRows = batchRowsDefault } = input;
  return within(deps.pool, { column, organizationId }, async (tx) => {
    const found = await deps.rows.read(tx, column, { below, after, limit: batchRows });
    const fresh = await Promise.all(found.map((row) => reseal(row, input)));
    const readable = fresh.filter((row) => row !== undefined);
    const done = readable.length === 0 ? 0 : await deps.rows.replace(tx, column, readable);
    const last = found.length === batchRows ? found.at(-1)?.key : undefined;
    return { done, unreadable: found.length - readable.length, after: last };
  });
}

async function reseal(row: SealedRow, { column, organizationId, ring, below }: ResealInput) {
  invariant(ring.current().version >= below, 'a row is sealed anew with a newer key');
  const context = column.context(row.key, organizationId);
  const opened = await ring.open(row.box, context);
  return opened.ok ? { ...row, replacement: await ring.seal(opened.value, context) } : undefined;
}

/** A transaction that reaches the rows of a column. */
export function within<T>(
  pool: DatabasePool,
  { column, organizationId }: { column: SealedColumn; organizationId: string },
  work: (tx: OrgTransaction | SystemTransaction) => Promise<T>,
): Promise<T> {
  if (column.scope === 'none') return withSystem(pool, work);
  return withOrg(pool, column.scope === 'platform' ? platformScope : organizationId, work);
}
