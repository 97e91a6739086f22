import { sql } from 'kysely';
import { organizationId } from '../organization/index.ts';
import { toLogDay } from './audit-log.ts';
import {
  entryColumns,
  logColumns,
  saveGrownLog,
  toAuditEntry,
  toAuditLog,
} from './audit-log-rows.postgres.ts';
import type { AuditLogStore } from './audit-log-store.ts';

/** uos_log may find the logs of all organizations, for its sweep; everything else here is about one. */
const thisOrganization = sql<string>`current_org()`;

export const postgresAuditLogStore: AuditLogStore = {
  lock: async (tx) => {
    // The head row cannot be locked before the first log exists, and a new day has none either.
    await sql`select pg_advisory_xact_lock(hashtextextended('audit-log:' || current_org(), 0))`.execute(tx);
  },
  findRecorded: async (tx, eventIds) => {
    const rows = await tx
      .selectFrom('audit_event')
      .select(['event_id', 'leaf'])
      .where('event_id', 'in', eventIds)
      .execute();
    return new Map(rows.map((row) => [row.event_id, row.leaf]));
  },
  findKnown: async (tx, events) => {
    const rows = await tx
      .selectFrom('audit_entry')
      .select(['source', 'event_id'])
      .where(
        'event_id',
        'in',
        events.map((event) => event.eventId),
      )
      .execute();
    return rows.map((row) => ({ source: row.source, eventId: row.event_id }));
  },
  findNewest: async (tx) => {
    const row = await tx
      .selectFrom('audit_log')
      .select(logColumns)
      .where('org_id', '=', thisOrganization)
      .orderBy('log_id', 'desc')
      .limit(1)
      .forUpdate()
      .executeTakeFirst();
    return row && toAuditLog(row);
  },
  save: saveGrownLog,
  find: async (tx, day) => {
    const row = await tx
      .selectFrom('audit_log')
      .select(logColumns)
      .where('org_id', '=', thisOrganization)
      .where('log_id', '=', day)
      .executeTakeFirst();
    return row && toAuditLog(row);
  },
  findTiles: async (tx, day, positions) => {
    if (positions.length === 0) return [];
    const rows = await tx
      .selectFrom('audit_tile')
      .select(['level', 'tile_index', 'hashes'])
      .where('log_id', '=', day)
      .where((eb) => eb.or(positions.map(({ level, index }) => eb.and({ level, tile_index: index }))))
      .execute();
    return rows.map((row) => ({ level: row.level, index: row.tile_index, hashes: row.hashes }));
  },
  listEntries: async (tx, day, range) => {
    const rows = await tx
      .selectFrom('audit_entry')
      .select(entryColumns)
      .where('log_id', '=', day)
      .where('entry_index', '>=', range.from)
      .where('entry_index', '<', range.to)
      .orderBy('entry_index')
      .execute();
    return rows.map(toAuditEntry);
  },
  listOfWindow: async (tx, window) => {
    const rows = await tx
      .selectFrom('audit_log')
      .select(logColumns)
      .where('org_id', '=', thisOrganization)
      .where((eb) =>
        eb.or([
          eb.and([eb('log_id', '>=', toLogDay(window.from)), eb('log_id', '<=', toLogDay(window.to))]),
          eb(
            'log_id',
            'in',
            eb
              .selectFrom('audit_entry')
              .select('audit_entry.log_id')
              .where('occurred_at', '>=', window.from)
              .where('occurred_at', '<', window.to),
          ),
        ]),
      )
      .orderBy('log_id')
      .execute();
    return rows.map(toAuditLog);
  },
  countMissing: async (tx, window) => {
    const row = await tx
      .selectFrom('audit_event')
      .select((eb) => eb.fn.countAll<number>().as('missing'))
      .where('occurred_at', '>=', window.from)
      .where('occurred_at', '<', window.to)
      .where((eb) =>
        eb.not(
          eb.exists(
            eb
              .selectFrom('audit_entry')
              .select('audit_entry.event_id')
              .whereRef('audit_entry.org_id', '=', 'audit_event.org_id')
              .whereRef('audit_entry.event_id', '=', 'audit_event.event_id'),
          ),
        ),
      )
      .executeTakeFirstOrThrow();
    return row.missing;
  },
  advancePublished: async (tx, { day, from, to }) => {
    const row = await tx
      .updateTable('audit_log')
      .set({ published_size: to })
      .where('log_id', '=', day)
      .where('published_size', '=', from)
      .returning('log_id')
      .executeTakeFirst();
    return row !== undefined;
  },
  listUnpublished: async (tx, limit) => {
    const rows = await tx
      .selectFrom('audit_log')
      .select(['org_id', 'log_id'])
      .whereRef('published_size', '<', 'size')
      .orderBy('updated_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({ organizationId: organizationId.require(row.org_id), day: row.log_id }));
  },
};
