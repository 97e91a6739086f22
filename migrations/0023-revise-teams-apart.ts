import { type MigrationDatabase, run } from './sql.ts';

/**
 * The number at which an organization's teams last changed, apart from its other facts of subjects: whoever remembers the
 * tree of teams need not be told it again with every key that is issued. 0: not since this migration.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    'alter table authorization_revision add column teams_revision bigint not null default 0',
    revise,
    'drop trigger team_revise on team',
    `create constraint trigger team_revise after insert or update or delete on team
       deferrable initially deferred for each row execute function revise_authorization('teams')`,
  );
}

/** As of 0009, and `teams`, which are facts of subjects too. */
const revise = `
  create or replace function revise_authorization() returns trigger language plpgsql as $$
  declare
    changed text := coalesce(new.org_id, old.org_id);
    scope text := current_setting('uos.org_id', true);
    counted text := current_setting('uos.revised', true);
    of_teams boolean := tg_argv[0] = 'teams';
    of_subjects boolean := tg_argv[0] in ('subjects', 'teams');
    -- What this transaction has counted last: of a hundred thousand rows, all but the first end here.
    mark text := changed || ' ' || tg_argv[0] || ' ' || pg_current_xact_id();
  begin
    if counted = mark then return null; end if;
    if of_subjects and counted = changed || ' teams ' || pg_current_xact_id() then return null; end if;
    -- A transaction may have gone on to another organization since.
    if scope is distinct from changed then perform set_config('uos.org_id', changed, true); end if;
    insert into authorization_revision as r
      (org_id, revision, subjects_revision, resources_revision, teams_revision)
    values (changed, 1, of_subjects::int, (not of_subjects)::int, of_teams::int)
    on conflict (org_id) do update set
      revision = r.revision + (r.changed_in <> excluded.changed_in)::int,
      subjects_revision = case when of_subjects
        then r.revision + (r.changed_in <> excluded.changed_in)::int else r.subjects_revision end,
      resources_revision = case when of_subjects
        then r.resources_revision else r.revision + (r.changed_in <> excluded.changed_in)::int end,
      teams_revision = case when of_teams
        then r.revision + (r.changed_in <> excluded.changed_in)::int else r.teams_revision end,
      changed_in = excluded.changed_in;
    perform set_config('uos.revised', mark, true);
    if scope is distinct from changed then perform set_config('uos.org_id', coalesce(scope, ''), true); end if;
    return null;
  end $$`;
