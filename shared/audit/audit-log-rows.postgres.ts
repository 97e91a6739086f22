import type { Selectable } from 'kysely';
import type { OrgTransaction, Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import type { AuditEntry, AuditLog } from './audit-log.ts';
import type { GrownLog } from './audit-log-store.ts';

export const logColumns = [
  'org_id',
  'log_id',
  'origin',
  'size',
  'root_hash',
  'checkpoint',
  'verifier_key',
  'published_size',
  'status',
] as const;
export const entryColumns = [
  'entry_index',
  'source',
  'event_id',
  'leaf',
  'leaf_hash',
  'occurred_at',
] as const;

export function toAuditLog(row: Pick<Selectable<Rows.AuditLogRow>, (typeof logColumns)[number]>): AuditLog {
  return {
    organizationId: organizationId.require(row.org_id),
    day: row.log_id,
    origin: row.origin,
    size: row.size,
    root: row.root_hash,
    checkpoint: row.checkpoint,
    verifierKey: row.verifier_key,
    publishedSize: row.published_size,
    status: row.status,
  };
}

export function toAuditEntry(row: Pick<Rows.AuditEntryRow, (typeof entryColumns)[number]>): AuditEntry {
  return {
    index: row.entry_index,
    source: row.source,
    eventId: row.event_id,
    leaf: row.leaf,
    leafHash: row.leaf_hash,
    occurredAt: row.occurred_at,
  };
}

/** The head first: entries and tiles name it. */
export async function saveGrownLog(tx: OrgTransaction, grown: GrownLog, at: Date): Promise<void> {
  await saveHead(tx, grown.log, at);
  await insertEntries(tx, grown, at);
  await saveTiles(tx, grown);
}

async function saveHead(tx: OrgTransaction, log: AuditLog, at: Date): Promise<void> {
  const state = {
    size: log.size,
    root_hash: Buffer.from(log.root),
    checkpoint: log.checkpoint,
    status: log.status,
    updated_at: at,
  };
  await tx
    .insertInto('audit_log')
    .values({
      ...state,
      org_id: log.organizationId,
      log_id: log.day,
      day: log.day,
      origin: log.origin,
      verifier_key: log.verifierKey,
      created_at: at,
    })
    .onConflict((conflict) => conflict.columns(['org_id', 'log_id']).doUpdateSet(state))
    .execute();
}

async function insertEntries(tx: OrgTransaction, { log, entries }: GrownLog, at: Date): Promise<void> {
  if (entries.length === 0) return;
  await tx
    .insertInto('audit_entry')
    .values(
      entries.map((entry) => ({
        org_id: log.organizationId,
        log_id: log.day,
        entry_index: entry.index,
        source: entry.source,
        event_id: entry.eventId,
        leaf: entry.leaf,
        leaf_hash: Buffer.from(entry.leafHash),
        occurred_at: entry.occurredAt,
        appended_at: at,
      })),
    )
    .execute();
}

async function saveTiles(tx: OrgTransaction, { log, tiles }: GrownLog): Promise<void> {
  if (tiles.length === 0) return;
  await tx
    .insertInto('audit_tile')
    .values(
      tiles.map((tile) => ({
        org_id: log.organizationId,
        log_id: log.day,
        level: tile.level,
        tile_index: tile.index,
        hashes: Buffer.from(tile.hashes),
      })),
    )
    .onConflict((conflict) =>
      conflict
        .columns(['org_id', 'log_id', 'level', 'tile_index'])
        .doUpdateSet((eb) => ({ hashes: eb.ref('excluded.hashes') })),
    )
    .execute();
}
