import { isolatePlatform, isolateTenant, type MigrationDatabase, run } from './sql.ts';

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `create table git_source (
       source_id text primary key,
       url text not null,
       ref text not null,
       webhook_secret_sealed bytea not null,
       observed_commit text,
       applied_commit text,
       conditions jsonb not null default '[]',
       created_at timestamptz not null,
       updated_at timestamptz not null,
       unique (url, ref)
     )`,
    // GitHub's signature covers no time, so a delivery can be replayed: its id is accepted once.
    `create table webhook_delivery (
       source_id text not null references git_source (source_id),
       delivery_id text not null,
       received_at timestamptz not null,
       primary key (source_id, delivery_id)
     )`,
    // No foreign key to organization: a plan is stored before the organization it creates exists. What is refused
    // before there is an organization belongs to the platform's scope.
    `create table reconcile_run (
       org_id text not null,
       run_id text not null,
       source_id text not null references git_source (source_id),
       name text not null,
       commit_sha text not null,
       tree_oid text not null,
       plan jsonb,
       plan_hash text,
       status text not null check (status in ('planned', 'applied', 'refused')),
       failure jsonb,
       planned_at timestamptz not null,
       applied_at timestamptz,
       primary key (org_id, run_id),
       check (status = 'refused' or (plan is not null and plan_hash is not null))
     )`,
    'create index reconcile_run_latest on reconcile_run (org_id, source_id, name, planned_at desc)',
    // Which source declares which organization, and the tree that was applied last: unchanged folders are skipped.
    // A name is claimed before its organization is made, hence no foreign key.
    `create table git_source_organization (
       source_id text not null references git_source (source_id),
       name text not null unique,
       org_id text not null unique,
       applied_tree_oid text,
       primary key (source_id, name)
     )`,
    ...isolatePlatform('git_source', { uos_app: 'select, insert, update' }),
    ...isolatePlatform('webhook_delivery', { uos_app: 'select, insert, delete' }),
    ...isolatePlatform('git_source_organization', { uos_app: 'select, insert, update, delete' }),
    ...isolateTenant('reconcile_run', { uos_app: 'select, insert, update' }),
  );
}
