import type { OrgTransaction, SystemTransaction } from '../db/index.ts';
import type { HashTile, TilePosition } from '../tlog/index.ts';
import type { AuditEntry, AuditLog, LogDay, LogName } from './audit-log.ts';

export type EventName = Pick<AuditEntry, 'source' | 'eventId'>;

/** Half open: entries from `from` up to, not including, `to`. */
export type EntryRange = { readonly from: number; readonly to: number };

/**
 * Logs of the transaction's organization.
 * - `lock` makes this transaction the only one that appends to the organization's logs, until it ends.
 * - `save` writes a grown log whole: head, its new entries and its changed tiles. It never touches `publishedSize`.
 * - `advancePublished` compares and swaps: false when the log was not published up to `from`.
 * - Reads may see more than the head a caller holds: entries and tiles only grow.
 */
export type AuditLogStore = {
  lock(tx: OrgTransaction): Promise<void>;
  /** Leaves of the trail by event id: what was committed with a change, whether it is in a log or not. */
  findRecorded(tx: OrgTransaction, eventIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Those of the events that are in a log already. */
  findKnown(tx: OrgTransaction, events: readonly EventName[]): Promise<readonly EventName[]>;
  findNewest(tx: OrgTransaction): Promise<AuditLog | undefined>;
  save(tx: OrgTransaction, grown: GrownLog, at: Date): Promise<void>;

  find(tx: OrgTransaction, day: LogDay): Promise<AuditLog | undefined>;
  findTiles(
    tx: OrgTransaction,
    day: LogDay,
    positions: readonly TilePosition[],
  ): Promise<readonly HashTile[]>;
  listEntries(tx: OrgTransaction, day: LogDay, range: EntryRange): Promise<readonly AuditEntry[]>;
  /** Logs of the days from `from` to `to`, and every other one that holds an event of that time. */
  listOfWindow(tx: OrgTransaction, window: { from: Date; to: Date }): Promise<readonly AuditLog[]>;
  /** Events of the trail, of that time, that no log holds yet. */
  countMissing(tx: OrgTransaction, window: { from: Date; to: Date }): Promise<number>;

  advancePublished(tx: OrgTransaction, step: { day: LogDay; from: number; to: number }): Promise<boolean>;
  /** Of all organizations, longest unchanged first. */
  listUnpublished(tx: SystemTransaction, limit: number): Promise<readonly LogName[]>;
};

export type GrownLog = {
  readonly log: AuditLog;
  readonly entries: readonly AuditEntry[];
  readonly tiles: readonly HashTile[];
};
