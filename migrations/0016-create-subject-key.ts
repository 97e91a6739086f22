import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    // No foreign key to organization: a plan's keys are made at once, before the organization that it may create.
    // A row is never deleted: that a key was, and that it is gone, is what explains sealed text nobody can open.
    `create table subject_key (
       org_id text not null,
       subject_id text not null,
       generation integer not null check (generation >= 1),
       key_sealed bytea,
       created_at timestamptz not null,
       destroyed_at timestamptz,
       destroyed_by text,
       primary key (org_id, subject_id, generation),
       check ((key_sealed is null) = (destroyed_at is not null)),
       check ((destroyed_by is null) = (destroyed_at is null))
     )`,
    'create unique index subject_key_live on subject_key (org_id, subject_id) where destroyed_at is null',
    // Not the functions' role alone: nobody gives a destroyed key its bytes back, from a backup for example.
    `create function keep_subject_key_destroyed() returns trigger language plpgsql as $$
     begin
       raise exception 'the key of % is destroyed', old.subject_id using errcode = 'integrity_constraint_violation';
     end $$`,
    `create trigger subject_key_stays_destroyed before update on subject_key
       for each row when (old.destroyed_at is not null) execute function keep_subject_key_destroyed()`,
    ...isolateTenant('subject_key', { uos_app: 'select, insert, update' }),
  );
}
