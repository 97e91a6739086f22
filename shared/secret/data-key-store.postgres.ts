import { sql } from 'kysely';
import type { Rows } from '../db/index.ts';
import type { DataKeyStore, StoredDataKey } from './data-key-store.ts';

const columns = [
  'data_key_id',
  'purpose',
  'version',
  'wrapped_key',
  'wrapping_key_id',
  'created_at',
  'active_from',
] as const;

export const postgresDataKeyStore: DataKeyStore = {
  list: async (tx, purpose) => {
    const rows = await tx
      .selectFrom('data_key')
      .select(columns)
      .where('purpose', '=', purpose)
      .orderBy('version')
      .execute();
    return rows.map(toDataKey);
  },
  add: async (tx, key) => {
    const added = await tx
      .insertInto('data_key')
      .values({
        data_key_id: key.dataKeyId,
        purpose: key.purpose,
        version: key.version,
        wrapped_key: Buffer.from(key.wrappedKey),
        wrapping_key_id: key.wrappingKeyId,
        created_at: key.createdAt,
        active_from: key.activeFrom,
      })
      .onConflict((conflict) => conflict.columns(['purpose', 'version']).doNothing())
      .returning('data_key_id')
      .executeTakeFirst();
    return added !== undefined;
  },
  listWrappedOtherwise: async (tx, wrappingKeyId) => {
    const rows = await tx
      .selectFrom('data_key')
      .select(columns)
      .where('wrapping_key_id', '<>', wrappingKeyId)
      .orderBy('data_key_id')
      .execute();
    return rows.map(toDataKey);
  },
  replaceWrapped: async (tx, key, wrapped) => {
    const replaced = await tx
      .updateTable('data_key')
      .set({ wrapped_key: Buffer.from(wrapped.bytes), wrapping_key_id: wrapped.wrappingKeyId })
      .where('data_key_id', '=', key.dataKeyId)
      .where('wrapped_key', '=', Buffer.from(key.wrappedKey))
      .returning('data_key_id')
      .executeTakeFirst();
    return replaced !== undefined;
  },
  destroy: async (tx, { purpose, below, kept }) => {
    // The database looks at every row of the purpose, in every organization.
    await sql`set local statement_timeout = '60s'`.execute(tx);
    let query = tx.deleteFrom('data_key').where('purpose', '=', purpose).where('version', '<', below);
    if (kept.length > 0) query = query.where('version', 'not in', kept);
    const destroyed = await query.returning('version').execute();
    return destroyed.map(({ version }) => version);
  },
};

function toDataKey(row: Pick<Rows.DataKeyRow, (typeof columns)[number]>): StoredDataKey {
  return {
    dataKeyId: row.data_key_id,
    purpose: row.purpose,
    version: row.version,
    wrappedKey: row.wrapped_key,
    wrappingKeyId: row.wrapping_key_id,
    createdAt: row.created_at,
    activeFrom: row.active_from ?? row.created_at,
  };
}
