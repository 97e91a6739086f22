import { isolateTenant, type MigrationDatabase, run } from './sql.ts';

const stamps = `
  managed_by text not null check (managed_by in ('git', 'api')),
  created_at timestamptz not null,
  updated_at timestamptz not null`;

/** Tables that facts rest on, by the part of the facts they are in. */
const facts = {
  subjects: [
    'membership',
    'team',
    'team_member',
    'role',
    'role_binding',
    'service_account',
    'resource_type',
    'organization',
    'api_key',
  ],
  resources: ['resource'],
};

export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    `alter table role_binding add column conditions jsonb not null default '[]'
       check (jsonb_typeof(conditions) = 'array')`,
    `create table resource_type (
       org_id text not null references organization (org_id),
       name text not null,
       description text not null,
       actions text[] not null,
       ${stamps},
       primary key (org_id, name)
     )`,
    // A resource outlives its team, belonging to none: a team is removed by Git, which knows nothing of resources.
    `create table resource (
       org_id text not null,
       resource_type text not null,
       resource_id text not null,
       team_id text,
       owner text,
       attributes jsonb not null check (jsonb_typeof(attributes) = 'object'),
       ${stamps},
       primary key (org_id, resource_type, resource_id),
       foreign key (org_id, resource_type) references resource_type (org_id, name),
       foreign key (org_id, team_id) references team (org_id, team_id) on delete set null (team_id)
     )`,
    'create index resource_by_team on resource (org_id, team_id) where team_id is not null',
    // No foreign key: its check would lock the organization while the row here is locked, which others do in the
    // opposite order.
    `create table authorization_revision (
       org_id text primary key,
       revision bigint not null,
       subjects_revision bigint not null,
       resources_revision bigint not null,
       changed_in xid8 not null default pg_current_xact_id()
     )`,
    ...isolateTenant('resource_type', { uos_app: 'select, insert, update, delete' }),
    ...isolateTenant('resource', { uos_app: 'select, insert, update, delete' }),
    ...isolateTenant('authorization_revision', { uos_app: 'select, insert, update' }),
    revise,
    ...Object.entries(facts).flatMap(([part, tables]) => tables.map((table) => reviseOn(table, part))),
    // To a scope of their own: who registers resources all day must not drop every subject's facts with each.
    `create function notify_resource_changed() returns trigger language plpgsql as $$
     begin
       perform pg_notify('authorization_changed',
         coalesce(new.org_id, old.org_id) || ' ' || coalesce(new.org_id, old.org_id) || '/resources');
       return null;
     end $$`,
    `create trigger resource_notify after insert or update or delete on resource
       for each row execute function notify_resource_changed()`,
    `create trigger resource_type_notify after insert or update or delete on resource_type
       for each row execute function notify_authorization_changed()`,
    // A key is a subject too, besides a credential: what is known of it as a subject is among its organization's facts.
    `create trigger api_key_facts_notify after insert or update on api_key
       for each row execute function notify_authorization_changed()`,
  );
}

/**
 * One number more per transaction and organization, and for each part of the facts the number at which it last
 * changed. Fired when the transaction commits: the row is locked last and for the length of a commit, so writers of
 * one organization neither queue behind each other's work nor meet in a deadlock; and since the lock is held until
 * the commit is visible, whoever sees a number sees every change up to it.
 */
const revise = `
  create function revise_authorization() returns trigger language plpgsql as $$
  declare
    changed text := coalesce(new.org_id, old.org_id);
    scope text := current_setting('uos.org_id', true);
    of_subjects boolean := tg_argv[0] = 'subjects';
    -- What this transaction has counted last: of a hundred thousand rows, all but the first end here.
    mark text := changed || ' ' || tg_argv[0] || ' ' || pg_current_xact_id();
  begin
    if current_setting('uos.revised', true) = mark then return null; end if;
    -- A transaction may have gone on to another organization since.
    if scope is distinct from changed then perform set_config('uos.org_id', changed, true); end if;
    insert into authorization_revision as r (org_id, revision, subjects_revision, resources_revision)
    values (changed, 1, of_subjects::int, (not of_subjects)::int)
    on conflict (org_id) do update set
      revision = r.revision + (r.changed_in <> excluded.changed_in)::int,
      subjects_revision = case when of_subjects
        then r.revision + (r.changed_in <> excluded.changed_in)::int else r.subjects_revision end,
      resources_revision = case when of_subjects
        then r.resources_revision else r.revision + (r.changed_in <> excluded.changed_in)::int end,
      changed_in = excluded.changed_in;
    perform set_config('uos.revised', mark, true);
    if scope is distinct from changed then perform set_config('uos.org_id', coalesce(scope, ''), true); end if;
    return null;
  end $$`;

function reviseOn(table: string, part: string): string {
  return `create constraint trigger ${table}_revise after insert or update or delete on ${table}
    deferrable initially deferred for each row execute function revise_authorization('${part}')`;
}
