import type { DatabasePool } from '../db/index.ts';
import type { BindingCondition } from './binding-condition.ts';
import { isPlatformResourceType } from './platform-resource-type.ts';
import type {
  Attributes,
  BindingFact,
  BindingScope,
  ResourceReference,
  SubjectReference,
  SubjectState,
} from './policy-input.ts';
import {
  type DataRevision,
  type FactsDemand,
  type ResourceFacts,
  type SubjectFacts,
  type SubjectFactsSource,
  unknownSubjectFacts,
} from './subject-facts.ts';

/**
 * One statement, one snapshot, one round trip. The organization is set by the statement itself, in `scope`: every
 * table is read by a subquery that depends on its output, so none can be scanned before the setting stands; were
 * one, row-level security would show it nothing. The setting ends with the statement, which is its own transaction.
 * An API key is looked up first, and is from there on the service account or user it belongs to. One row for each id
 * asked for.
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
select asked, (
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
  ),
  below(root_id, team_id) as (
    select root.scope_id, child.team_id
      from (select distinct b.scope_id from bound b where b.scope_type = 'team') root
     cross join lateral (
      select t.team_id from team t
       where t.org_id = actor.org_id and t.parent_team_id = root.scope_id offset 0) child
    union
    select below.root_id, child.team_id from below cross join lateral (
      select t.team_id from team t
       where t.org_id = actor.org_id and t.parent_team_id = below.team_id offset 0) child
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
        'descendants', (
          select coalesce(json_agg(team_id order by team_id), '[]') from below
           where b.scope_type = 'team' and below.root_id = b.scope_id),
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
from actor`;

const one = { name: 'subject-facts', text: toStatement('(values ($3::text))') };
/** Of its own, since the planner makes a new plan for each array: four times as long for a single subject. */
const many = { name: 'subjects-facts', text: toStatement('unnest($3::text[])') };

type FactsRow = {
  readonly organizationStatus: 'active' | 'suspended' | null;
  readonly subjectStatus: 'active' | 'disabled' | null;
  readonly subjectExpiresAt: number | null;
  readonly key: KeyRow | null;
  readonly teams: readonly string[];
  readonly groups: readonly string[] | null;
  readonly bindings: readonly BindingRow[];
  readonly resourceTypes: readonly string[];
  readonly resource: ResourceRow | null;
  readonly revision: DataRevision | null;
};

type KeyRow = {
  readonly type: 'service_account' | 'user';
  readonly id: string;
  readonly status: 'active' | 'disabled' | 'revoked';
  readonly expiresAt: number | null;
  readonly scopes: readonly string[] | null;
};

type ResourceRow = {
  readonly team: string | null;
  readonly owner: string | null;
  readonly attributes: Attributes;
};

type BindingRow = Pick<BindingFact, 'id' | 'role' | 'permissions' | 'effect'> & {
  readonly scopeType: BindingScope['type'];
  readonly scopeId: string;
  readonly descendants: readonly string[];
  readonly expiresAt: number | null;
  readonly conditions: readonly BindingCondition[];
};

type Asked = {
  readonly ids: Set<string | null>;
  readonly rows: Promise<ReadonlyMap<string | null, FactsRow>>;
};

const subjectsAtOnce = 100;

/**
 * Subjects of one type that are asked for in the same turn of the event loop, about the same resource, share a
 * statement: a search among thousands then costs a tenth. It is sent after each of them asked, so it is never older.
 */
export function postgresSubjectFacts(pool: Pick<DatabasePool, 'query'>): SubjectFactsSource {
  const open = new Map<string, Asked>();
  function ask(key: string, [organizationId, type, ...resource]: readonly (string | null)[]): Asked {
    const ids = new Set<string | null>();
    const send = async () => {
      if (open.get(key) === asked) open.delete(key);
      const [first] = ids;
      const { rows } = await pool.query<{ asked: string | null; facts: FactsRow }>(
        ids.size === 1
          ? { ...one, values: [organizationId, type, first, ...resource] }
          : { ...many, values: [organizationId, type, [...ids], ...resource] },
      );
      return new Map(rows.map((row) => [row.asked, row.facts]));
    };
    const asked: Asked = { ids, rows: Promise.resolve().then(send) };
    open.set(key, asked);
    return asked;
  }
  return {
    find: async (organizationId, subject, demand) => {
      const [type, id] = toValues(subject);
      const values = [organizationId, type, ...toValues(demand?.resource)];
      const key = JSON.stringify(values);
      const shared = open.get(key);
      const asked = shared !== undefined && shared.ids.size < subjectsAtOnce ? shared : ask(key, values);
      asked.ids.add(id);
      return toSubjectFacts(organizationId, (await asked.rows).get(id), demand);
    },
  };
}

/** With no other text can anything be in the database: NUL is refused there, and half a surrogate pair replaced. */
function isText(value: string): boolean {
  return value.isWellFormed() && !value.includes('\0');
}

function toValues(named: ResourceReference | SubjectReference | undefined): [string | null, string | null] {
  if (named === undefined || !isText(named.type) || !isText(named.id)) return [null, null];
  return [named.type, named.id];
}

function toSubjectFacts(
  organizationId: string,
  row: FactsRow | undefined,
  demand: FactsDemand | undefined,
): SubjectFacts {
  const rest = row === undefined ? {} : toRest(row, demand);
  if (row === undefined || row.organizationStatus === null || row.subjectStatus === null) {
    return { ...unknownSubjectFacts(organizationId), ...rest };
  }
  return {
    organization: { id: organizationId, status: row.organizationStatus },
    subject: toSubject(row.subjectStatus, row),
    bindings: row.bindings.map(toBindingFact),
    ...rest,
  };
}

function toSubject(status: SubjectState['status'], row: FactsRow): SubjectState {
  const { key, teams } = row;
  const expiry = toExpiry(row.subjectExpiresAt, key?.expiresAt ?? null);
  const groups = row.groups === null ? {} : { groups: row.groups };
  if (key === null) return { known: true, status, teams, ...groups, ...expiry };
  return {
    known: true,
    status: key.status === 'active' ? status : 'disabled',
    teams,
    ...groups,
    acts_as: { type: key.type, id: key.id },
    ...(key.scopes === null ? {} : { scopes: key.scopes }),
    ...expiry,
  };
}

/** A key lives no longer than its account. */
function toExpiry(...instants: readonly (number | null)[]): Pick<SubjectState, 'expires_at'> {
  const known = instants.filter((instant) => instant !== null);
  return known.length === 0 ? {} : { expires_at: Math.min(...known) };
}

/** Threat: what was registered under a name that is the platform's own would say of its things whose they are. */
function toRest({ resourceTypes, resource, revision }: FactsRow, demand: FactsDemand | undefined) {
  const asked = demand?.resource;
  const isHeeded = asked !== undefined && !isPlatformResourceType(asked.type);
  return {
    resourceTypes: resourceTypes.filter((type) => !isPlatformResourceType(type)),
    ...(asked === undefined ? {} : { resource: isHeeded ? resource && toResource(resource) : null }),
    ...(revision === null ? {} : { revision }),
  };
}

function toResource({ team, owner, attributes }: ResourceRow): ResourceFacts {
  return { ...(team === null ? {} : { team }), ...(owner === null ? {} : { owner }), attributes };
}

function toBindingFact(row: BindingRow): BindingFact {
  const { id, role, permissions, effect, expiresAt, conditions } = row;
  return {
    id,
    role,
    permissions,
    effect,
    scope: toScope(row),
    ...(expiresAt === null ? {} : { expires_at: expiresAt }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function toScope({ scopeType, scopeId, descendants }: BindingRow): BindingScope {
  return scopeType === 'team' ? { type: 'team', id: scopeId, descendants } : { type: scopeType, id: scopeId };
}
