import { sql } from 'kysely';
import type { IdempotencyRecordStore } from './idempotency-record-store.ts';

const prunedMax = 100;

export const postgresIdempotencyRecordStore: IdempotencyRecordStore = {
  tryLock: async (tx, key) => {
    // Two keys that hash alike wait for each other, and nothing more.
    const name = sql`hashtextextended('idempotency ' || current_org() || ' ' || ${key}, 0)`;
    const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_xact_lock(${name}) as held`.execute(
      tx,
    );
    return rows[0]?.held === true;
  },
  find: async (tx, key) => {
    const row = await tx
      .selectFrom('idempotency_record')
      .select(['idempotency_key', 'request_hash', 'response_status', 'response_sealed', 'created_at'])
      .where('idempotency_key', '=', key)
      .executeTakeFirst();
    return (
      row && {
        key: row.idempotency_key,
        requestHash: row.request_hash,
        responseStatus: row.response_status,
        responseSealed: row.response_sealed,
        createdAt: row.created_at,
      }
    );
  },
  add: async (tx, orgId, record, expiredBefore) => {
    const expired = tx
      .selectFrom('idempotency_record')
      .select('idempotency_key')
      .where('created_at', '<', expiredBefore)
      .orderBy('created_at')
      .limit(prunedMax)
      // Whoever prunes at the same time takes the others.
      .forUpdate()
      .skipLocked();
    await tx.deleteFrom('idempotency_record').where('idempotency_key', 'in', expired).execute();
    const answer = {
      request_hash: Buffer.from(record.requestHash),
      response_status: record.responseStatus,
      response_sealed: Buffer.from(record.responseSealed),
      created_at: record.createdAt,
    };
    await tx
      .insertInto('idempotency_record')
      .values({ org_id: orgId, idempotency_key: record.key, ...answer })
      .onConflict((conflict) => conflict.columns(['org_id', 'idempotency_key']).doUpdateSet(answer))
      .execute();
  },
  prune: async (tx, { expiredBefore, after, organizationsMax, recordsMax }) => {
    const { rows } = await sql<{ last_org: string | null; removed: number }>`
      select last_org, removed
        from prune_idempotency_records(${expiredBefore}, ${after}, ${organizationsMax}, ${recordsMax})`.execute(
      tx,
    );
    return { removed: rows[0]?.removed ?? 0, lookedUntil: rows[0]?.last_org ?? undefined };
  },
};
