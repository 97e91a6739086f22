import { isolatePlatform, type MigrationDatabase, platformOrganizationId, run } from './sql.ts';

type SealedColumn = {
  readonly purpose: string;
  readonly relation: string;
  readonly column: string;
  readonly scope: 'organization' | 'platform' | 'none';
  /** SQL for the version of the data key that a row needs, where it is not simply that of its box. */
  readonly version?: string;
  /** Short-lived, or not a box: it cannot be sealed anew, and is waited for. */
  readonly isWaitedFor?: true;
};

const columns: readonly SealedColumn[] = [
  { purpose: 'api-key-pepper', relation: 'api_key', column: 'secret_sealed', scope: 'organization' },
  { purpose: 'api-key-pepper', relation: 'api_key', column: 'previous_secret_sealed', scope: 'organization' },
  {
    purpose: 'api-key-pepper',
    relation: 'api_key',
    column: 'secret_mac',
    scope: 'organization',
    version: 'case when secret_mac is not null and secret_sealed is null then pepper_version end',
    isWaitedFor: true,
  },
  { purpose: 'personal-data', relation: 'subject_key', column: 'key_sealed', scope: 'organization' },
  {
    purpose: 'idempotency',
    relation: 'idempotency_record',
    column: 'response_sealed',
    scope: 'organization',
    // Read for a day, and removed only when its organization makes the next one.
    version: "case when created_at > now() - interval '2 days' then sealed_key_version(response_sealed) end",
    isWaitedFor: true,
  },
  { purpose: 'git-source', relation: 'git_source', column: 'webhook_secret_sealed', scope: 'platform' },
  { purpose: 'signing-key', relation: 'signing_key', column: 'private_jwk_sealed', scope: 'none' },
  { purpose: 'oidc-record', relation: 'oidc_record', column: 'payload_sealed', scope: 'none' },
];

/**
 * Data keys that get successors. Nothing becomes unreadable, and the database itself sees to that: a row cannot be
 * written with a data key that is gone, and a data key cannot go while a row needs it.
 */
export async function up(db: MigrationDatabase): Promise<void> {
  await run(
    db,
    // Null, as code of before writes it: from the moment it was made.
    'alter table data_key add column active_from timestamptz',
    `create table data_key_rotation (
       rotation_id text primary key,
       purpose text not null,
       status text not null check (status in ('requested', 'waiting', 'resealing', 'retiring', 'finished')),
       target_version integer,
       active_from timestamptz,
       -- The organization whose rows were sealed anew last.
       position text not null default '',
       rows_total bigint not null default 0,
       rows_done bigint not null default 0,
       rows_unreadable bigint not null default 0,
       requested_by text not null,
       requested_at timestamptz not null,
       updated_at timestamptz not null,
       settled_at timestamptz,
       finished_at timestamptz,
       check ((status = 'finished') = (finished_at is not null))
     )`,
    `create unique index data_key_rotation_open on data_key_rotation (purpose) where status <> 'finished'`,
    ...isolatePlatform('data_key_rotation', { uos_app: 'select, insert, update' }),
    // Written by migrations alone: what it says is run as SQL below.
    `create table sealed_column (
       purpose text not null,
       relation text not null,
       column_name text not null,
       scope text not null check (scope in ('organization', 'platform', 'none')),
       version_expression text not null,
       is_resealed boolean not null,
       primary key (relation, column_name)
     )`,
    'grant select on sealed_column to uos_app',
    // As sealed-box.ts lays it out: a format byte, then the version as a big-endian 32-bit number.
    `create function sealed_key_version(box bytea) returns integer language sql immutable strict parallel safe
       as $$ select case when length(box) >= 33 then
         get_byte(box, 1) * 16777216 + get_byte(box, 2) * 65536 + get_byte(box, 3) * 256 + get_byte(box, 4) end $$`,
    ...columns.map(registered),
    ...columns.filter(({ column }) => column.endsWith('_sealed')).flatMap(guarded),
    countRows,
    isInUse,
    keepNeeded,
    `create trigger data_key_stays_while_needed before delete on data_key
       for each row execute function keep_needed_data_key()`,
    'grant delete on data_key to uos_app',
  );
}

function registered({ purpose, relation, column, scope, version, isWaitedFor }: SealedColumn): string {
  const expression = version ?? `sealed_key_version(${column})`;
  return `insert into sealed_column
    values ('${purpose}', '${relation}', '${column}', '${scope}', '${expression.replaceAll("'", "''")}', ${isWaitedFor !== true})`;
}

/**
 * A process that has not heard of the destruction of a key, since it was stopped for long, must not write a row that
 * nobody can open. The lock keeps the key until the row is committed, as a foreign key would.
 */
function guarded({ purpose, relation, column }: SealedColumn): string[] {
  const name = `${relation}_${column}_has_data_key`;
  return [
    `create function ${name}() returns trigger language plpgsql as $$
     begin
       if sealed_key_version(new.${column}) is not null then
         perform from data_key
           where purpose = '${purpose}' and version = sealed_key_version(new.${column}) for key share;
         if not found then
           raise exception 'data key % of ${purpose} is gone', sealed_key_version(new.${column})
             using errcode = 'foreign_key_violation';
         end if;
       end if;
       return null;
     end $$`,
    `create trigger ${name} after insert or update of ${column} on ${relation}
       for each row when (new.${column} is not null) execute function ${name}()`,
  ];
}

/**
 * Which organizations, of at most \`orgs_max\` after one, have rows to be sealed anew, since they
 * need an older key than \`below\`, and how many.
 * Runs with its caller's rights: it visits one organization after the other under row-level security, and can see
 * nothing that its caller could not.
 */
const countRows = `
create function sealed_rows_below(wanted text, below integer, after_org text, orgs_max integer)
  returns table (org_id text, row_count bigint, is_last boolean) language plpgsql as $$
declare
  was text := coalesce(current_setting('uos.org_id', true), '');
  orgs text[];
  asked text;
  n bigint;
begin
  select string_agg(format('(select count(*) from %I where %s < $1)', c.relation, c.version_expression), ' + ')
    into asked from sealed_column c where c.purpose = wanted and c.scope = 'organization' and c.is_resealed;
  perform set_config('uos.org_id', '${platformOrganizationId}', true);
  -- At once: while rows of a cursor are fetched, row-level security reads the setting of that moment.
  orgs := array(select o.org_id from organization o where o.org_id > after_org order by 1 limit orgs_max);
  for i in 1 .. coalesce(array_length(orgs, 1), 0) loop
    is_last := i = array_length(orgs, 1);
    n := 0;
    if asked is not null then
      perform set_config('uos.org_id', orgs[i], true);
      execute 'select ' || asked using below into n;
    end if;
    org_id := orgs[i];
    row_count := n;
    if n > 0 or is_last then return next; end if;
  end loop;
  perform set_config('uos.org_id', was, true);
end $$`;

/** Whether any row at all needs a data key of this purpose below that version. */
const isInUse = `
create function data_key_in_use(wanted text, below integer) returns boolean language plpgsql as $$
declare
  was text := coalesce(current_setting('uos.org_id', true), '');
  orgs text[];
  org text;
  asked text;
  answer boolean := false;
begin
  perform set_config('uos.org_id', '${platformOrganizationId}', true);
  orgs := array(select o.org_id from organization o order by 1);
  select string_agg(format('exists (select from %I where %s < $1)', relation, version_expression), ' or ')
    into asked from sealed_column where purpose = wanted and scope <> 'organization';
  if asked is not null then execute 'select ' || asked using below into answer; end if;
  select string_agg(format('exists (select from %I where %s < $1)', relation, version_expression), ' or ')
    into asked from sealed_column where purpose = wanted and scope = 'organization';
  if asked is not null then
    foreach org in array orgs loop
      exit when answer;
      perform set_config('uos.org_id', org, true);
      execute 'select ' || asked using below into answer;
    end loop;
  end if;
  perform set_config('uos.org_id', was, true);
  return answer;
end $$`;

/**
 * A data key may be deleted, but the deletion passes over one that a row needs. Its row is locked by then: those who
 * write such a row right now have been waited for, later ones are refused. The newest that seals cannot go at all.
 */
const keepNeeded = `
create function keep_needed_data_key() returns trigger language plpgsql as $$
begin
  if not exists (select from data_key where purpose = old.purpose and version > old.version
                 and coalesce(active_from, created_at) <= now()) then
    raise exception 'no successor of data key % of % seals yet', old.version, old.purpose
      using errcode = 'foreign_key_violation';
  end if;
  if data_key_in_use(old.purpose, old.version + 1) then return null; end if;
  return old;
end $$`;
