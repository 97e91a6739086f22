import type { OrgTransaction, Rows } from '../db/index.ts';
import { invariant } from '../kernel/index.ts';
import { type DataKeyRotation, dataKeyRotationId } from './data-key-rotation.ts';
import type { DataKeyRotationStore } from './data-key-rotation-store.ts';
import { isRotatedPurpose } from './sealed-column.ts';

type Selected = {
  [Column in keyof Rows.DataKeyRotationRow]: Column extends 'position'
    ? string
    : Column extends `rows_${string}`
      ? number
      : Rows.DataKeyRotationRow[Column];
};

export const postgresDataKeyRotationStore: DataKeyRotationStore = {
  add: async (tx, rotation) => {
    const superseded = await supersedeRetiring(tx, rotation);
    const added = await tx
      .insertInto('data_key_rotation')
      .values({
        rotation_id: rotation.id,
        purpose: rotation.purpose,
        requested_by: rotation.requestedBy,
        requested_at: rotation.requestedAt,
        ...toState(rotation),
      })
      .onConflict((conflict) => conflict.column('purpose').where('status', '<>', 'finished').doNothing())
      .returning('rotation_id')
      .executeTakeFirst();
    if (superseded !== undefined) await nameSuccessor(tx, { superseded, successor: rotation.id });
    return added !== undefined;
  },
  save: async (tx, rotation, read) => {
    const saved = await tx
      .updateTable('data_key_rotation')
      .set(toState(rotation))
      .where('rotation_id', '=', rotation.id)
      .where('status', '=', toStored(read.status))
      .where('updated_at', '=', read.updatedAt)
      .returning('rotation_id')
      .executeTakeFirst();
    return saved !== undefined;
  },
  find: async (tx, id) => {
    const row = await tx
      .selectFrom('data_key_rotation')
      .selectAll()
      .where('rotation_id', '=', id)
      .executeTakeFirst();
    return row && toRotation(row);
  },
  list: async (tx, { limit, before }) => {
    let query = tx.selectFrom('data_key_rotation').selectAll().orderBy('rotation_id', 'desc').limit(limit);
    if (before !== undefined) query = query.where('rotation_id', '<', before);
    return (await query.execute()).map(toRotation);
  },
  listOpen: async (tx) => {
    const query = tx.selectFrom('data_key_rotation').selectAll().where('status', '<>', 'finished');
    return (await query.orderBy('rotation_id').execute()).map(toRotation);
  },
};

/** Under the lock of its row, so that a run that would take it further right now finds it gone. */
async function supersedeRetiring(
  tx: OrgTransaction,
  { purpose, requestedAt }: DataKeyRotation,
): Promise<string | undefined> {
  const superseded = await tx
    .updateTable('data_key_rotation')
    .set({ status: 'finished', finished_at: requestedAt, updated_at: requestedAt })
    .where('purpose', '=', purpose)
    .where('status', '=', 'retiring')
    .returning('rotation_id')
    .executeTakeFirst();
  return superseded?.rotation_id;
}

/** With the row it refers to in place. */
async function nameSuccessor(
  tx: OrgTransaction,
  { superseded, successor }: { superseded: string; successor: string },
): Promise<void> {
  await tx
    .updateTable('data_key_rotation')
    .set({ superseded_by: successor })
    .where('rotation_id', '=', superseded)
    .execute();
}

/** To code of before there was a successor, and to the index of open ones, it is finished. */
function toStored(status: DataKeyRotation['status']): Selected['status'] {
  return status === 'superseded' ? 'finished' : status;
}

function toState(rotation: DataKeyRotation) {
  return {
    status: toStored(rotation.status),
    target_version: rotation.targetVersion ?? null,
    active_from: rotation.activeFrom ?? null,
    position: rotation.position,
    rows_total: rotation.rowsTotal,
    rows_done: rotation.rowsDone,
    rows_unreadable: rotation.rowsUnreadable,
    updated_at: rotation.updatedAt,
    settled_at: rotation.settledAt ?? null,
    finished_at: rotation.finishedAt ?? null,
  };
}

function toRotation(row: Selected): DataKeyRotation {
  invariant(
    isRotatedPurpose(row.purpose),
    `"${row.purpose}" is no purpose of a data key that can be rotated`,
  );
  return {
    id: dataKeyRotationId.require(row.rotation_id),
    purpose: row.purpose,
    status: row.superseded_by === null ? row.status : 'superseded',
    targetVersion: row.target_version ?? undefined,
    activeFrom: row.active_from ?? undefined,
    position: row.position,
    rowsTotal: row.rows_total,
    rowsDone: row.rows_done,
    rowsUnreadable: row.rows_unreadable,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    updatedAt: row.updated_at,
    settledAt: row.settled_at ?? undefined,
    finishedAt: row.finished_at ?? undefined,
  };
}
