import type { DataKeyStore } from './data-key-store.ts';

export const postgresDataKeyStore: DataKeyStore = {
  list: async (tx, purpose) => {
    const rows = await tx
      .selectFrom('data_key')
      .select(['data_key_id', 'purpose', 'version', 'wrapped_key', 'wrapping_key_id', 'created_at'])
      .where('purpose', '=', purpose)
      .orderBy('version')
      .execute();
    return rows.map((row) => ({
      dataKeyId: row.data_key_id,
      purpose: row.purpose,
      version: row.version,
      wrappedKey: row.wrapped_key,
      wrappingKeyId: row.wrapping_key_id,
      createdAt: row.created_at,
    }));
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
      })
      .onConflict((conflict) => conflict.columns(['purpose', 'version']).doNothing())
      .returning('data_key_id')
      .executeTakeFirst();
    return added !== undefined;
  },
};
