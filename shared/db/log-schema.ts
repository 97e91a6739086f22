import type { Generated } from 'kysely';
import type { Stamped } from './row-parts.ts';

// Rows of what happened: events on their way, the tamper-evident log, its exports, and decisions.

export type AuditEventRow = {
  org_id: string;
  event_id: string;
  type: string;
  subject: string;
  actor_type: string;
  actor_id: string;
  occurred_at: Date;
  leaf: string;
};

export type OutboxRow = {
  sequence: Generated<number>;
  org_id: string;
  topic: string;
  event_id: string;
  payload: string;
  created_at: Date;
};

export type AuditLogRow = Stamped & {
  org_id: string;
  log_id: string;
  /** `yyyy-mm-dd` */
  day: string;
  origin: string;
  size: number;
  root_hash: Buffer;
  checkpoint: string;
  published_size: Generated<number>;
  verifier_key: string;
  status: 'open' | 'sealed';
};

export type AuditEntryRow = {
  org_id: string;
  log_id: string;
  entry_index: number;
  source: string;
  event_id: string;
  leaf: string;
  leaf_hash: Buffer;
  occurred_at: Date;
  appended_at: Date;
};

export type AuditTileRow = {
  org_id: string;
  log_id: string;
  level: number;
  tile_index: number;
  hashes: Buffer;
};

export type AuditExportRow = {
  org_id: string;
  export_id: string;
  window_from: Date;
  window_to: Date;
  status: 'requested' | 'running' | 'ready' | 'failed';
  object_prefix: string | null;
  /** JSON, read with its own schema. */
  pinned_logs: string | null;
  events: number | null;
  failure: string | null;
  requested_by: string;
  requested_at: Date;
  finished_at: Date | null;
};

export type DecisionJournalRow = {
  org_id: string;
  segment_id: string;
  part: number;
  records: number;
  time_from: Date;
  time_to: Date;
  lines: string;
  written_at: Generated<Date>;
};

export type DecisionSegmentRow = {
  org_id: string;
  segment_id: string;
  object_key: string;
  sha256: Buffer;
  records: number;
  time_from: Date;
  time_to: Date;
  filter: Buffer;
  event_id: string;
};
