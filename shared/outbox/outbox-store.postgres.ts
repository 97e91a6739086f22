import { sql } from 'kysely';
import type { Rows } from '../db/index.ts';
import type { OutboxEntry, OutboxStore } from './outbox-store.ts';

/** "uos" in ASCII, then 1: the namespace of our advisory locks, and the relay's place in it. */
const relayLock = [0x756f73, 1] as const;

type OldestRow = Pick<Rows.OutboxRow, 'org_id' | 'topic' | 'payload'> & {
  readonly sequence: number;
  readonly oldest: number;
};

export const postgresOutboxStore: OutboxStore = {
  lead: async (tx) => {
    const [namespace, place] = relayLock;
    const { rows } = await sql<{ leads: boolean }>`
      select pg_try_advisory_xact_lock(${namespace}::int, ${place}::int) as leads`.execute(tx);
    return rows[0]?.leads === true;
  },
  listOldest: async (tx, limits) => {
    const { rows } = await sql<OldestRow>`
      select sequence, org_id, topic, payload, oldest
      from (select *, count(*) over () as oldest, sum(octet_length(payload)) over (order by sequence) as bytes
            from (select sequence, org_id, topic, payload from outbox order by sequence limit ${limits.entries}) first) sized
      where bytes <= ${limits.bytes} or bytes = octet_length(payload)
      order by sequence`.execute(tx);
    const oldest = rows[0]?.oldest ?? 0;
    return { entries: rows.map(toEntry), isCut: oldest === limits.entries || rows.length < oldest };
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

function toEntry(row: OldestRow): OutboxEntry {
  return { sequence: row.sequence, organizationId: row.org_id, topic: row.topic, payload: row.payload };
}
