import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    // leaf is text, not jsonb: jsonb reorders members and so changes the bytes that are hashed.
    `create table audit_event (
       org_id text not null references organization (org_id),
       event_id text not null,
       type text not null,
       subject text not null,
       actor_type text not null,
       actor_id text not null,
       occurred_at timestamptz not null,
       leaf text not null check (octet_length(leaf) <= 61440),
       primary key (org_id, event_id)
     )`,
    'create index audit_event_by_subject on audit_event (org_id, subject, event_id)',
    ...isolateTenant('audit_event', { uos_app: 'select, insert', uos_log: 'select, insert' }),
    `create table outbox (
       sequence bigint generated always as identity primary key,
       org_id text not null references organization (org_id),
       topic text not null,
       event_id text not null,
       payload text not null,
       created_at timestamptz not null
     )`,
    ...isolateTenant('outbox', { uos_app: 'insert', uos_log: 'insert', uos_relay: 'select, update, delete' }),
    'create policy relay_reads_all on outbox to uos_relay using (true)',
    `create function notify_outbox() returns trigger language plpgsql
       as $$ begin perform pg_notify('outbox', ''); return null; end $$`,
    'create trigger outbox_notify after insert on outbox for each statement execute function notify_outbox()',
  );
}
