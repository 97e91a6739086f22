import type { AuthorizationFeed } from '../authorization-feed/index.ts';
import type { DatabasePool } from '../db/index.ts';
import { createTransientMap, invariant } from '../kernel/index.ts';
import type { ResourceReference, SubjectReference } from './policy-input.ts';
import type { SubjectFactsSource } from './subject-facts.ts';
import { type FactsRow, toSubjectFacts } from './subject-facts-row.ts';
import { createTeamTree, rememberTeamTrees, type TeamTree } from './team-trees.ts';

/**
 * One statement, one snapshot, one round trip. The organization is set by the statement itself, in `scope`: every
 * table is read by a subquery that depends on its output, so none can be scanned before the setting stands; were
 * one, row-level security would show it nothing. The setting ends with the statement, which is its own transaction.
 * An API key is looked up first, and is from there on the service account or user it belongs to. One row for each id
 * asked for; and one with the organization's tree of teams, unless their revision is the one of the tree that the caller
 * has, $6. To list for each of an organization's members the teams below was half the work.
 */
const toStatement = (asked: string) => `
with scope as materialized (select set_config('uos.org_id', $1, true) as org_id),
keyed as materialized (
  select org_id, asked.id as asked, (
    select json_build_object('type', case when k.user_id is null then 'service_account' else 'user' end,
                             'id', coalesce(k.user_id, k.service_account_id), 'status', k.status,
                             'expiresAt', floor(extract(epoch from k.expires_at)), 'scopes', k.scopes)
      from api_key k where $2 = 'api_key' and k.org_id = scope.org_id and k.key_id = asked.id
  ) as key
  from scope, ${asked} as asked(id)
),
actor as materialized (
  select org_id, asked, key,
         case when $2 = 'api_key' then key->>'type' else $2 end as type,
         case when $2 = 'api_key' then key->>'id' else asked end as id
  from keyed
)
select asked, null::json as tree, (
  with recursive
  subject(status, expires_at) as (
    select m.status, null::timestamptz from membership m
     where actor.type = 'user' and m.org_id = actor.org_id and m.user_id = actor.id
    union all
    select case s.status when 'active' then 'active' else 'disabled' end, s.expires_at from service_account s
     where actor.type = 'service_account' and s.org_id = actor.org_id and s.service_account_id = actor.id
    union all
    select 'active', null from user_group g
     where actor.type = 'group' and g.org_id = actor.org_id and g.group_id = actor.id
  ),
  belongs(team_id) as (
    select m.team_id from team_member m
     where m.org_id = actor.org_id and m.member_type = actor.type and m.member_id = actor.id
    union
    select parent.team_id from belongs cross join lateral (
      select t.parent_team_id as team_id from team t
       where t.org_id = actor.org_id and t.team_id = belongs.team_id and t.parent_team_id is not null
       limit 1
    ) parent
  ),
  grouped(group_id) as (
    select m.group_id from group_member m
     where m.org_id = actor.org_id and m.member_type = actor.type and m.member_id = actor.id
  ),
  holder(type, id) as (
    select 'team', team_id from belongs union all select 'group', group_id from grouped
  ),
  bound as (
    select b.* from role_binding b
     where b.org_id = actor.org_id and b.subject_type = actor.type and b.subject_id = actor.id
    union all
    select held.* from holder cross join lateral (
      select b.* from role_binding b
       where b.org_id = actor.org_id and b.subject_type = holder.type and b.subject_id = holder.id
      offset 0
    ) held
  )
  select json_build_object(
    'organizationStatus', (select o.status from organization o where o.org_id = actor.org_id),
    'subjectStatus', (select status from subject),
    'subjectExpiresAt', (select floor(extract(epoch from expires_at)) from subject),
    'key', actor.key,
    'teams', (select coalesce(json_agg(team_id order by team_id), '[]') from belongs),
    'groups', (select json_agg(group_id order by group_id) from grouped),
    'bindings', (
      select coalesce(json_agg(json_build_object(
        'id', b.binding_id,
        'role', b.role_name,
        'permissions', coalesce((
          select to_json(r.permissions) from role r
           where r.org_id = actor.org_id and r.name = b.role_name), '[]'),
        'effect', b.effect,
        'scopeType', b.scope_type,
        'scopeId', b.scope_id,
        'expiresAt', floor(extract(epoch from b.expires_at)),
        'conditions', b.conditions
      ) order by b.binding_id), '[]') from bound b),
    'resourceTypes', (
      select coalesce(json_agg(t.name), '[]') from resource_type t where t.org_id = actor.org_id),
    'resource', (
      select json_build_object('team', r.team_id, 'owner', r.owner, 'attributes', r.attributes) from resource r
       where r.org_id = actor.org_id and r.resource_type = $4 and r.resource_id = $5),
    'revision', (
      select json_build_object(
        'data', v.revision, 'subjects', v.subjects_revision, 'resources', v.resources_revision)
        from authorization_revision v where v.org_id = actor.org_id)
  )
) as facts
from actor
union all
select null, json_build_object(
  'revision', revised.teams_revision,
  'children', (
    select coalesce(json_object_agg(parent_team_id, children), '{}') from (
      select t.parent_team_id, json_agg(t.team_id) as children from team t
       where t.org_id = scope.org_id and t.parent_team_id is not null group by t.parent_team_id) parents)
), null
from scope left join lateral (
  select v.teams_revision from authorization_revision v where v.org_id = scope.org_id
) revised on true
where $6::bigint is null or $6 is distinct from revised.teams_revision`;

const one = { name: 'subject-facts', text: toStatement('(values ($3::text))') };
/** Of its own, since the planner makes a new plan for each array: four times as long for a single subject. */
const many = { name: 'subjects-facts', text: toStatement('unnest($3::text[])') };

type Row =
  | { readonly asked: string | null; readonly facts: FactsRow; readonly tree: null }
  | { readonly facts: null; readonly tree: TreeRow };

type TreeRow = {
  readonly revision: number | null;
  readonly children: Readonly<Record<string, readonly string[]>>;
};

type Answer = {
  readonly rows: ReadonlyMap<string | null, FactsRow>;
  readonly tree: TeamTree;
  /** Whether the tree is worth remembering: told now, and with a revision by which it can be known again. */
  readonly isNews: boolean;
};
type Asked = { readonly ids: Set<string | null>; readonly answer: Promise<Answer> };

const subjectsAtOnce = 100;

/**
 * Subjects of one type that are asked for in the same turn of the event loop, about the same resource, share a
 * statement: a search among thousands then costs a tenth. It is sent after each of them asked, so it is never older.
 * Only over a pool: a transaction that changes teams would see them before the change is counted. `feed`: what says
 * that the database may be another; without it trees of teams are remembered for seconds.
 */
export function postgresSubjectFacts(
  pool: Pick<DatabasePool, 'query'>,
  { feed }: { readonly feed?: AuthorizationFeed } = {},
): SubjectFactsSource {
  const open = createTransientMap<string, Asked>();
  const trees = rememberTeamTrees(feed);
  function ask(
    key: string,
    { organizationId, values }: { organizationId: string; values: readonly unknown[] },
  ): Asked {
    const ids = new Set<string | null>();
    const send = async () => {
      if (open.get(key) === asked) open.delete(key);
      const [type, ...resource] = values;
      const sent: { tree: TeamTree | undefined; epoch: number } = { tree: undefined, epoch: trees.epoch() };
      const { rows } = await pool.query<Row>({
        ...(ids.size === 1 ? one : many),
        // Read when a connection is in hand: hundreds that waited for one would each be told a tree known by then.
        get values() {
          sent.tree = trees.get(organizationId);
          sent.epoch = trees.epoch();
          return [
            organizationId,
            type,
            ids.size === 1 ? [...ids][0] : [...ids],
            ...resource,
            sent.tree?.revision ?? null,
          ];
        },
      });
      const answer = toAnswer(rows, [sent.tree, trees.get(organizationId)]);
      if (answer.isNews) trees.set(organizationId, answer.tree, sent.epoch);
      return answer;
    };
    const asked: Asked = { ids, answer: Promise.resolve().then(send) };
    open.set(key, asked);
    return asked;
  }
  return {
    find: async (organizationId, subject, demand) => {
      const [type, id] = toValues(subject);
      const values = [type, ...toValues(demand?.resource)];
      const key = JSON.stringify([organizationId, ...values]);
      const shared = open.get(key);
      const hasRoom = shared !== undefined && shared.ids.size < subjectsAtOnce;
      const asked = hasRoom ? shared : ask(key, { organizationId, values });
      asked.ids.add(id);
      const { rows, tree } = await asked.answer;
      return toSubjectFacts({ organizationId, row: rows.get(id), tree, demand });
    },
  };
}

/** `sent`: the tree whose revision was sent; `latest`: what another answer has told meanwhile. */
function toAnswer(
  rows: readonly Row[],
  [sent, latest]: readonly [sent: TeamTree | undefined, latest: TeamTree | undefined],
): Answer {
  const found = new Map<string | null, FactsRow>();
  let told: TreeRow | null = null;
  for (const row of rows) {
    if (row.facts === null) told = row.tree;
    else found.set(row.asked, row.facts);
  }
  if (told === null) {
    invariant(sent !== undefined, 'the tree is told to whoever has none');
    return { rows: found, tree: sent, isNews: false };
  }
  const revision = told.revision ?? undefined;
  if (revision !== undefined && latest?.revision === revision) {
    return { rows: found, tree: latest, isNews: false };
  }
  return { rows: found, tree: createTeamTree(told.children, revision), isNews: revision !== undefined };
}

/** With no other text can anything be in the database: NUL is refused there, and half a surrogate pair replaced. */
function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}

function toValues(named: ResourceReference | SubjectReference | undefined): [string | null, string | null] {
  if (named === undefined || !isText(named.type) || !isText(named.id)) return [null, null];
  return [named.type, named.id];
}
