import { sql } from 'kysely';
import type { OutboxStore } from './outbox-store.ts';

/** "uos" in ASCII, then 1: the namespace of our advisory locks, and the relay's place in it. */
const relayLock = [0x756f73, 1] as const;

export const postgresOutboxStore: OutboxStore = {
  lead: async (tx) => {
    const [namespace, place] = relayLock;
    const { rows } = await sql<{ leads: boolean }>`
      select pg_try_advisory_xact_lock(${namespace}::int, ${place}::int) as leads`.execute(tx);
    return rows[0]?.leads === true;
  },
  listOldest: async (tx, limit) => {
    const rows = await tx
      .selectFrom('outbox')
      .select(['sequence', 'org_id', 'topic', 'payload'])
      .orderBy('sequence')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      sequence: row.sequence,
      organizationId: row.org_id,
      topic: row.topic,
      payload: row.payload,
    }));
  },
  remove: async (tx, entries) => {
    await tx
      .deleteFrom('outbox')
      .where(
        'sequence',
        'in',
        entries.map((entry) => entry.sequence),
      )
      .execute();
  },
};
