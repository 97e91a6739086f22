import { sql } from 'kysely';
import { z } from 'zod';
import type { OrgTransaction, Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { type AuditExport, auditExportId } from './audit-export.ts';
import type { AuditExportStore } from './audit-export-store.ts';

const columns = [
  'org_id',
  'export_id',
  'window_from',
  'window_to',
  'status',
  'object_prefix',
  'events',
  'failure',
  'requested_by',
  'requested_at',
  'finished_at',
] as const;

const pinnedLogs = z.array(
  z.strictObject({ day: z.string(), checkpoint: z.string(), size: z.int(), verifierKey: z.string() }),
);

/** uos_log may find the exports of all organizations, for its sweep; everything else here is about one. */
const thisOrganization = sql<string>`current_org()`;

export const postgresAuditExportStore: AuditExportStore = {
  add: async (tx, requested) => {
    await tx.insertInto('audit_export').values(toRow(requested)).execute();
  },
  find: async (tx, id) => {
    const row = await tx
      .selectFrom('audit_export')
      .select(columns)
      .where('export_id', '=', id)
      .where('org_id', '=', thisOrganization)
      .executeTakeFirst();
    return row && toAuditExport(row);
  },
  lock: async (tx, id) => {
    const row = await tx
      .selectFrom('audit_export')
      .select([...columns, 'pinned_logs'])
      .where('export_id', '=', id)
      .where('org_id', '=', thisOrganization)
      .forUpdate()
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const pinned = row.pinned_logs === null ? undefined : pinnedLogs.parse(JSON.parse(row.pinned_logs));
    return { export: toAuditExport(row), pinned };
  },
  start: async (tx, { id, objectPrefix, pinned }) => {
    await tx
      .updateTable('audit_export')
      .set({ status: 'running', object_prefix: objectPrefix, pinned_logs: JSON.stringify(pinned) })
      .where('export_id', '=', id)
      .execute();
  },
  finish: (tx, { id, events, at }) => end(tx, id, { status: 'ready', events, finished_at: at }),
  fail: (tx, { id, failure, at }) => end(tx, id, { status: 'failed', failure, finished_at: at }),
  listWaiting: async (tx, { requestedBefore, limit }) => {
    const rows = await tx
      .selectFrom('audit_export')
      .select(['org_id', 'export_id'])
      .where('status', 'in', ['requested', 'running'])
      .where('requested_at', '<', requestedBefore)
      .orderBy('requested_at')
      .limit(limit)
      .execute();
    return rows.map((row) => ({
      organizationId: organizationId.require(row.org_id),
      id: auditExportId.require(row.export_id),
    }));
  },
};

async function end(
  tx: OrgTransaction,
  id: string,
  state: Pick<Rows.AuditExportRow, 'status' | 'finished_at'> & Partial<Rows.AuditExportRow>,
): Promise<boolean> {
  const row = await tx
    .updateTable('audit_export')
    .set(state)
    .where('export_id', '=', id)
    .where('status', 'in', ['requested', 'running'])
    .returning('export_id')
    .executeTakeFirst();
  return row !== undefined;
}

function toRow(requested: AuditExport): Rows.AuditExportRow {
  return {
    org_id: requested.organizationId,
    export_id: requested.id,
    window_from: requested.from,
    window_to: requested.to,
    status: requested.status,
    object_prefix: requested.objectPrefix ?? null,
    pinned_logs: null,
    events: requested.events ?? null,
    failure: requested.failure ?? null,
    requested_by: requested.requestedBy,
    requested_at: requested.requestedAt,
    finished_at: requested.finishedAt ?? null,
  };
}

function toAuditExport(row: Omit<Rows.AuditExportRow, 'pinned_logs'>): AuditExport {
  return {
    organizationId: organizationId.require(row.org_id),
    id: auditExportId.require(row.export_id),
    from: row.window_from,
    to: row.window_to,
    status: row.status,
    objectPrefix: row.object_prefix ?? undefined,
    events: row.events ?? undefined,
    failure: row.failure ?? undefined,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at,
    finishedAt: row.finished_at ?? undefined,
  };
}
