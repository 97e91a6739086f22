import { sql } from 'kysely';
import type { DatabasePool, Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { decisionSegmentId } from './decision-buffer.ts';
import type { DecisionJournal, JournalPart } from './decision-journal.ts';

const columns = ['org_id', 'segment_id', 'part', 'records', 'time_from', 'time_to', 'lines'] as const;
/** The platform's scope finds the parts of all organizations; everything else here is about one. */
const thisOrganization = sql<string>`current_org()`;

export function postgresDecisionJournal(pool: Pick<DatabasePool, 'query'>): DecisionJournal {
  return {
    write: async (parts) => {
      await pool.query({
        name: 'journal-decisions',
        text: 'select journal_decisions($1)',
        values: [JSON.stringify(parts.map(toRow))],
      });
    },
    list: async (tx, { limit, bytesMax }) => {
      // The size of a stored text is known without reading it: what does not fit stays where it is.
      const oldest = tx
        .selectFrom('decision_journal')
        .select([...columns, sql<number>`octet_length(lines)`.as('bytes')])
        .where('org_id', '=', thisOrganization)
        .orderBy('time_from')
        .orderBy('segment_id')
        .orderBy('part')
        .limit(limit + 1);
      const inOrder = sql`order by time_from, segment_id, part`;
      const counted = tx
        .selectFrom(oldest.as('oldest'))
        .select([
          ...columns,
          sql<number>`row_number() over (${inOrder})`.as('place'),
          sql<number>`sum(bytes) over (${inOrder})`.as('bytes_through'),
          sql<number>`count(*) over ()`.as('listed'),
        ]);
      const rows = await tx
        .selectFrom(counted.as('counted'))
        .select([...columns, 'listed'])
        .where(sql<boolean>`place = 1 or (place <= ${limit} and bytes_through <= ${bytesMax})`)
        .orderBy('place')
        .execute();
      return { parts: rows.map(toPart), hasMore: rows.length < Number(rows[0]?.listed ?? 0) };
    },
    remove: async (tx, parts) => {
      const removed = await tx
        .deleteFrom('decision_journal')
        .where('org_id', '=', thisOrganization)
        .where(
          sql<boolean>`(segment_id, part) in (
            select * from unnest(${parts.map(({ id }) => id)}::text[], ${parts.map(({ place }) => place)}::int[]))`,
        )
        .executeTakeFirstOrThrow();
      return Number(removed.numDeletedRows);
    },
    listOfWindow: async (tx, { from, to, limit }) => {
      const rows = await tx
        .selectFrom('decision_journal')
        .select(columns)
        .where('org_id', '=', thisOrganization)
        .where('time_to', '>=', from)
        .where('time_from', '<', to)
        .orderBy('time_to', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toPart);
    },
    listDue: async (tx, { olderThanSeconds, recordsMin, limit }) => {
      // The database's clock wrote the rows, and it alone judges their age.
      const isOld = sql<boolean>`min(written_at) < now() - make_interval(secs => ${olderThanSeconds})`;
      const rows = await tx
        .selectFrom('decision_journal')
        .select('org_id')
        .groupBy('org_id')
        .having(sql<boolean>`${isOld} or sum(records) >= ${recordsMin}`)
        .orderBy(sql`min(written_at)`)
        .limit(limit)
        .execute();
      return rows.map((row) => organizationId.require(row.org_id));
    },
  };
}

function toRow(part: JournalPart) {
  return {
    org_id: part.organizationId,
    segment_id: part.id,
    part: part.place,
    records: part.records,
    time_from: part.from,
    time_to: part.to,
    lines: part.lines,
  };
}

function toPart(row: Pick<Rows.DecisionJournalRow, (typeof columns)[number]>): JournalPart {
  return {
    organizationId: organizationId.require(row.org_id),
    id: decisionSegmentId.require(row.segment_id),
    place: row.part,
    records: row.records,
    from: row.time_from,
    to: row.time_to,
    lines: row.lines,
  };
}
