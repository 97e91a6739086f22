import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    // One complete log per organization per UTC day. published_size trails size while files are being written.
    `create table audit_log (
       org_id text not null references organization (org_id),
       log_id text not null,
       day date not null,
       origin text not null unique,
       size bigint not null,
       root_hash bytea not null check (length(root_hash) = 32),
       checkpoint text not null,
       published_size bigint not null default 0,
       verifier_key text not null,
       status text not null check (status in ('open', 'sealed')),
       created_at timestamptz not null,
       updated_at timestamptz not null,
       primary key (org_id, log_id),
       unique (org_id, day)
     )`,
    `create table audit_entry (
       org_id text not null,
       log_id text not null,
       entry_index bigint not null,
       source text not null,
       event_id text not null,
       leaf text not null,
       leaf_hash bytea not null check (length(leaf_hash) = 32),
       occurred_at timestamptz not null,
       appended_at timestamptz not null,
       primary key (org_id, log_id, entry_index),
       unique (org_id, event_id, source),
       foreign key (org_id, log_id) references audit_log (org_id, log_id)
     )`,
    // An export's window is by time of occurrence; an entry may be appended on a later day.
    'create index audit_entry_by_time on audit_entry (org_id, occurred_at)',
    `create table audit_tile (
       org_id text not null,
       log_id text not null,
       level integer not null,
       tile_index bigint not null,
       hashes bytea not null check (length(hashes) between 32 and 8192),
       primary key (org_id, log_id, level, tile_index),
       foreign key (org_id, log_id) references audit_log (org_id, log_id)
     )`,
    // pinned_logs: the logs and their checkpoints that an export was begun with, so that a second run writes the same.
    `create table audit_export (
       org_id text not null references organization (org_id),
       export_id text not null,
       window_from timestamptz not null,
       window_to timestamptz not null,
       status text not null check (status in ('requested', 'running', 'ready', 'failed')),
       object_prefix text,
       pinned_logs text,
       events bigint,
       failure text,
       requested_by text not null,
       requested_at timestamptz not null,
       finished_at timestamptz,
       primary key (org_id, export_id)
     )`,
    ...isolateTenant('audit_log', { uos_app: 'select', uos_log: 'select, insert, update' }),
    ...isolateTenant('audit_entry', { uos_app: 'select', uos_log: 'select, insert' }),
    ...isolateTenant('audit_tile', { uos_app: 'select', uos_log: 'select, insert, update' }),
    ...isolateTenant('audit_export', { uos_app: 'select, insert', uos_log: 'select, update' }),
    // The scheduled run of audit-export must find unpublished logs and waiting exports of every organization.
    'create policy log_finds_all on audit_log for select to uos_log using (true)',
    'create policy log_finds_all on audit_export for select to uos_log using (true)',
  );
}
