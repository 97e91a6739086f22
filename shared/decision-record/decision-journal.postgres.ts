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
    list: async (tx, segmentId) => {
      const rows = await tx
        .selectFrom('decision_journal')
        .select(columns)
        .where('org_id', '=', thisOrganization)
        .where('segment_id', '=', segmentId)
        .orderBy('part')
        .execute();
      return rows.map(toPart);
    },
    remove: async (tx, segmentId) => {
      const removed = await tx
        .deleteFrom('decision_journal')
        .where('org_id', '=', thisOrganization)
        .where('segment_id', '=', segmentId)
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
    listLeftBehind: async (tx, { olderThanSeconds, limit }) => {
      const rows = await tx
        .selectFrom('decision_journal')
        .select(['org_id', 'segment_id'])
        .groupBy(['org_id', 'segment_id'])
        .having(
          (eb) => eb.fn.max('written_at'),
          '<',
          // The database's clock wrote the rows, and it alone judges their age.
          sql<Date>`now() - make_interval(secs => ${olderThanSeconds})`,
        )
        .orderBy('segment_id')
        .limit(limit)
        .execute();
      return rows.map((row) => ({
        organizationId: organizationId.require(row.org_id),
        segmentId: decisionSegmentId.require(row.segment_id),
      }));
    },
  };
}

function toRow(part: JournalPart) {
  return {
    org_id: part.organizationId,
    segment_id: part.segmentId,
    part: part.part,
    records: part.records,
    time_from: part.from,
    time_to: part.to,
    lines: part.lines,
  };
}

function toPart(row: Pick<Rows.DecisionJournalRow, (typeof columns)[number]>): JournalPart {
  return {
    organizationId: organizationId.require(row.org_id),
    segmentId: decisionSegmentId.require(row.segment_id),
    part: row.part,
    records: row.records,
    from: row.time_from,
    to: row.time_to,
    lines: row.lines,
  };
}
