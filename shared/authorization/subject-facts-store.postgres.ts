import type { DatabasePool } from '../db/index.ts';
import type { BindingFact, BindingScope, SubjectReference } from './policy-input.ts';
import { type SubjectFacts, type SubjectFactsSource, unknownSubjectFacts } from './subject-facts.ts';

/**
 * One statement, one snapshot, one round trip. The organization is set by the statement itself, in `scope`: every
 * table is read by a subquery that depends on its output, so none can be scanned before the setting stands; were
 * one, row-level security would show it nothing. The setting ends with the statement, which is its own transaction.
 */
const statement = `
with scope as materialized (select set_config('uos.org_id', $1, true) as org_id)
select (
  with recursive
  subject(status) as (
    select m.status from membership m
     where $2 = 'user' and m.org_id = scope.org_id and m.user_id = $3
    union all
    select s.status from service_account s
     where $2 = 'service_account' and s.org_id = scope.org_id and s.service_account_id = $3
  ),
  belongs(team_id) as (
    select m.team_id from team_member m
     where m.org_id = scope.org_id and m.member_type = $2 and m.member_id = $3
    union
    select t.parent_team_id from belongs
      join team t on t.org_id = scope.org_id and t.team_id = belongs.team_id
     where t.parent_team_id is not null
  ),
  bound as (
    select b.* from role_binding b
     where b.org_id = scope.org_id and b.subject_type = $2 and b.subject_id = $3
    union all
    select b.* from role_binding b
     where b.org_id = scope.org_id and b.subject_type = 'team'
       and b.subject_id in (select team_id from belongs)
  ),
  below(root_id, team_id) as (
    select distinct b.scope_id, t.team_id from bound b
      join team t on t.org_id = scope.org_id and t.parent_team_id = b.scope_id
     where b.scope_type = 'team'
    union
    select below.root_id, t.team_id from below
      join team t on t.org_id = scope.org_id and t.parent_team_id = below.team_id
  )
  select json_build_object(
    'organizationStatus', (select o.status from organization o where o.org_id = scope.org_id),
    'subjectStatus', (select status from subject),
    'teams', (select coalesce(json_agg(team_id order by team_id), '[]') from belongs),
    'bindings', (
      select coalesce(json_agg(json_build_object(
        'id', b.binding_id,
        'role', b.role_name,
        'permissions', coalesce((
          select to_json(r.permissions) from role r
           where r.org_id = scope.org_id and r.name = b.role_name), '[]'),
        'effect', b.effect,
        'scopeType', b.scope_type,
        'scopeId', b.scope_id,
        'descendants', (
          select coalesce(json_agg(team_id order by team_id), '[]') from below
           where b.scope_type = 'team' and below.root_id = b.scope_id),
        'expiresAt', floor(extract(epoch from b.expires_at))
      ) order by b.binding_id), '[]') from bound b)
  )
) as facts
from scope`;

type FactsRow = {
  readonly organizationStatus: 'active' | 'suspended' | null;
  readonly subjectStatus: 'active' | 'disabled' | null;
  readonly teams: readonly string[];
  readonly bindings: readonly BindingRow[];
};

type BindingRow = Pick<BindingFact, 'id' | 'role' | 'permissions' | 'effect'> & {
  readonly scopeType: BindingScope['type'];
  readonly scopeId: string;
  readonly descendants: readonly string[];
  readonly expiresAt: number | null;
};

const subjectTypes: ReadonlySet<string> = new Set(['user', 'service_account']);

export function postgresSubjectFacts(pool: Pick<DatabasePool, 'query'>): SubjectFactsSource {
  return {
    find: async (organizationId, subject) => {
      if (!isStorable(subject)) return unknownSubjectFacts(organizationId);
      const { rows } = await pool.query<{ facts: FactsRow }>({
        name: 'subject-facts',
        text: statement,
        values: [organizationId, subject.type, subject.id],
      });
      return toSubjectFacts(organizationId, rows[0]?.facts);
    },
  };
}

/** Of no other type, and with no other text, can a subject be in the database: NUL is refused, half a pair replaced. */
function isStorable({ type, id }: SubjectReference): boolean {
  return subjectTypes.has(type) && id.isWellFormed() && !id.includes('\0');
}

function toSubjectFacts(organizationId: string, row: FactsRow | undefined): SubjectFacts {
  if (row === undefined || row.organizationStatus === null || row.subjectStatus === null) {
    return unknownSubjectFacts(organizationId);
  }
  return {
    organization: { id: organizationId, status: row.organizationStatus },
    subject: { known: true, status: row.subjectStatus, teams: row.teams },
    bindings: row.bindings.map(toBindingFact),
  };
}

function toBindingFact(row: BindingRow): BindingFact {
  const { id, role, permissions, effect, expiresAt } = row;
  return {
    id,
    role,
    permissions,
    effect,
    scope: toScope(row),
    ...(expiresAt === null ? {} : { expires_at: expiresAt }),
  };
}

function toScope({ scopeType, scopeId, descendants }: BindingRow): BindingScope {
  return scopeType === 'team' ? { type: 'team', id: scopeId, descendants } : { type: scopeType, id: scopeId };
}
