import type { Rows } from '../db/index.ts';
import type { OidcRecord, OidcRecordLookup, OidcRecordStore, StoredOidcRecord } from './oidc-record-store.ts';

const columns = [
  'model',
  'id_hash',
  'payload_sealed',
  'grant_id_hash',
  'uid_hash',
  'user_code_hash',
  'account_id',
  'consumed_at',
  'expires_at',
] as const;

const columnOf = {
  idHash: 'id_hash',
  uidHash: 'uid_hash',
  userCodeHash: 'user_code_hash',
} as const satisfies Record<OidcRecordLookup, string>;

export const postgresOidcRecordStore: OidcRecordStore = {
  upsert: async (tx, record) => {
    const { consumed_at: _, ...changed } = toRow(record);
    await tx
      .insertInto('oidc_record')
      .values(toRow(record))
      .onConflict((conflict) => conflict.columns(['model', 'id_hash']).doUpdateSet(changed))
      .execute();
  },
  find: async (tx, input) => {
    const row = await tx
      .selectFrom('oidc_record')
      .select(columns)
      .where('model', '=', input.model)
      .where(columnOf[input.by], '=', Buffer.from(input.hash))
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', input.at)]))
      .limit(1)
      .executeTakeFirst();
    return row && toRecord(row);
  },
  consume: async (tx, input) => {
    const row = await tx
      .updateTable('oidc_record')
      .set({ consumed_at: input.at })
      .where('model', '=', input.model)
      .where('id_hash', '=', Buffer.from(input.idHash))
      .where('consumed_at', 'is', null)
      .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', input.at)]))
      .returning('model')
      .executeTakeFirst();
    return row !== undefined;
  },
  remove: async (tx, input) => {
    await tx
      .deleteFrom('oidc_record')
      .where('model', '=', input.model)
      .where('id_hash', '=', Buffer.from(input.idHash))
      .execute();
  },
  removeByGrant: async (tx, input) => {
    await tx
      .deleteFrom('oidc_record')
      .where('model', '=', input.model)
      .where('grant_id_hash', '=', Buffer.from(input.grantIdHash))
      .execute();
  },
  removeExpired: async (tx, input) => {
    const expired = await tx
      .selectFrom('oidc_record')
      .select(['model', 'id_hash'])
      .where('expires_at', '<', input.before)
      .orderBy('expires_at')
      .limit(input.limit)
      // Another run at the same moment takes others, and a row in use is left for later.
      .forUpdate()
      .skipLocked()
      .execute();
    for (const [model, rows] of Map.groupBy(expired, (row) => row.model)) {
      const hashes = rows.map((row) => row.id_hash);
      await tx.deleteFrom('oidc_record').where('model', '=', model).where('id_hash', 'in', hashes).execute();
    }
    return expired.length;
  },
};

function toRow(record: OidcRecord): Rows.OidcRecordRow {
  return {
    model: record.model,
    id_hash: Buffer.from(record.idHash),
    payload_sealed: Buffer.from(record.payloadSealed),
    grant_id_hash: toBytes(record.grantIdHash),
    uid_hash: toBytes(record.uidHash),
    user_code_hash: toBytes(record.userCodeHash),
    account_id: record.accountId ?? null,
    consumed_at: null,
    expires_at: record.expiresAt ?? null,
  };
}

function toBytes(hash: Uint8Array | undefined): Buffer | null {
  return hash === undefined ? null : Buffer.from(hash);
}

function toRecord(row: Rows.OidcRecordRow): StoredOidcRecord {
  return {
    model: row.model,
    idHash: row.id_hash,
    payloadSealed: row.payload_sealed,
    grantIdHash: row.grant_id_hash ?? undefined,
    uidHash: row.uid_hash ?? undefined,
    userCodeHash: row.user_code_hash ?? undefined,
    accountId: row.account_id ?? undefined,
    consumedAt: row.consumed_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
  };
}
