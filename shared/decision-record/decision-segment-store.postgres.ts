import { sql } from 'kysely';
import { organizationId } from '../organization/index.ts';
import { decisionSegmentId } from './decision-buffer.ts';
import type { DecisionSegmentStore, SegmentEntry, StoredSegment } from './decision-segment-store.ts';
import { hashKey } from './key-filter.ts';

/** uos_log reads the log of all organizations in places; what is asked for here is about one. */
const thisOrganization = sql<string>`current_org()`;

export const postgresDecisionSegmentStore: DecisionSegmentStore = {
  add: async (tx, segment) => {
    await tx
      .insertInto('decision_segment')
      .values({
        org_id: segment.organizationId,
        segment_id: segment.id,
        object_key: segment.objectKey,
        sha256: Buffer.from(segment.sha256, 'hex'),
        records: segment.count,
        time_from: segment.from,
        time_to: segment.to,
        filter: segment.filter,
        event_id: segment.eventId,
      })
      .execute();
  },
  listOfWindow: async (tx, { from, to, keys, limit }) => {
    let query = tx
      .selectFrom('decision_segment as s')
      .leftJoin('audit_event as e', (join) =>
        join.onRef('e.org_id', '=', 's.org_id').onRef('e.event_id', '=', 's.event_id'),
      )
      .leftJoin('audit_entry as l', (join) =>
        join.onRef('l.org_id', '=', 's.org_id').onRef('l.event_id', '=', 's.event_id'),
      )
      .select([
        's.org_id',
        's.segment_id',
        's.object_key',
        's.sha256',
        's.records',
        's.time_from',
        's.time_to',
        's.event_id',
        'e.leaf as trail_leaf',
        'l.leaf as log_leaf',
        'l.log_id',
        'l.entry_index',
      ])
      .where('s.org_id', '=', thisOrganization)
      .where('s.time_to', '>=', from)
      .where('s.time_from', '<', to)
      .orderBy('s.time_to', 'desc')
      .limit(limit);
    for (const hash of keys.flatMap(hashKey)) {
      query = query.where(
        sql<boolean>`get_bit(s.filter, ${hash}::bigint % (octet_length(s.filter) * 8)::bigint) = 1`,
      );
    }
    return (await query.execute()).map(toStoredSegment);
  },
};

type Row = {
  org_id: string;
  segment_id: string;
  object_key: string;
  sha256: Buffer;
  records: number;
  time_from: Date;
  time_to: Date;
  event_id: string;
  trail_leaf: string | null;
  log_leaf: string | null;
  log_id: string | null;
  entry_index: number | null;
};

function toStoredSegment(row: Row): StoredSegment {
  return {
    id: decisionSegmentId.require(row.segment_id),
    organizationId: organizationId.require(row.org_id),
    objectKey: row.object_key,
    sha256: row.sha256.toString('hex'),
    count: row.records,
    from: row.time_from,
    to: row.time_to,
    entry: toEntry(row),
  };
}

/** The log before the trail: it is what others can check. */
function toEntry({ event_id, log_leaf, trail_leaf, log_id, entry_index }: Row): SegmentEntry | undefined {
  if (log_leaf !== null && log_id !== null && entry_index !== null)
    return { eventId: event_id, leaf: log_leaf, log: { day: log_id, index: entry_index } };
  return trail_leaf === null ? undefined : { eventId: event_id, leaf: trail_leaf };
}
