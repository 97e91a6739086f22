import { isolateTenant, type MigrationDatabase, platformOrganizationId, run } from './sql.ts';

/**
 * Decision records between their answer and their segment (`decision_journal`), the segments there are
 * (`decision_segment`), and what an organization wants kept (`organization.decision_log_*`; the trigger of 0008 tells
 * every warm instance).
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `alter table organization
       add column decision_log_level text not null default 'denials-and-privileged'
         check (decision_log_level in ('all', 'denials-and-privileged')),
       add column decision_log_masks jsonb not null default '[]'`,
    // Lines as they will stand in the segment; gone with the transaction that records the segment's event. All rows live
    // for seconds: a share of the table would let the dead ones grow with the living.
    `create table decision_journal (
       org_id text not null references organization (org_id),
       segment_id text not null,
       part integer not null,
       records integer not null,
       time_from timestamptz not null,
       time_to timestamptz not null,
       lines text not null,
       written_at timestamptz not null default now(),
       primary key (org_id, segment_id, part)
     )
     with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
           toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 5000)`,
    // filter: a Bloom filter of request ids, principals, subjects and resources; see shared/decision-record/key-filter.ts.
    `create table decision_segment (
       org_id text not null references organization (org_id),
       segment_id text not null,
       object_key text not null,
       sha256 bytea not null check (length(sha256) = 32),
       records integer not null,
       time_from timestamptz not null,
       time_to timestamptz not null,
       filter bytea not null,
       event_id text not null,
       primary key (org_id, segment_id)
     )`,
    'create index decision_segment_by_time on decision_segment (org_id, time_to desc)',
    ...isolateTenant('decision_journal', { uos_app: 'select, insert, delete', uos_log: 'select, delete' }),
    ...isolateTenant('decision_segment', { uos_app: 'select, insert', uos_log: 'select, insert' }),
    // What a killed instance left behind is found from the platform's own scope, and taken from the tenant's.
    `create policy platform_finds on decision_journal for select
       using ((select current_org()) = '${platformOrganizationId}')`,
    // One round trip and one commit a flush, however many organizations are in it. Not SECURITY DEFINER: each row is
    // written in its own organization's scope, under row-level security like every other.
    `create function journal_decisions(parts json) returns void language plpgsql as $$
     declare part record;
     begin
       for part in
         select * from json_to_recordset(parts) as p(org_id text, segment_id text, part integer, records integer,
                                                     time_from timestamptz, time_to timestamptz, lines text)
       loop
         perform set_config('uos.org_id', part.org_id, true);
         insert into decision_journal (org_id, segment_id, part, records, time_from, time_to, lines)
         values (part.org_id, part.segment_id, part.part, part.records, part.time_from, part.time_to, part.lines)
         on conflict do nothing;
       end loop;
     end $$`,
  );
}
