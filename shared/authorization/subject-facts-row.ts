import type { BindingCondition } from './binding-condition.ts';
import { isPlatformResourceType } from './platform-resource-type.ts';
import type { Attributes, BindingFact, BindingScope, SubjectState } from './policy-input.ts';
import {
  type DataRevision,
  type FactsDemand,
  type ResourceFacts,
  type SubjectFacts,
  unknownSubjectFacts,
} from './subject-facts.ts';
import type { TeamTree } from './team-trees.ts';

/** As the statement builds it. */
export type FactsRow = {
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
  readonly expiresAt: number | null;
  readonly conditions: readonly BindingCondition[];
};

/** What the rows of one answer say of one subject. */
export function toSubjectFacts({
  organizationId,
  row,
  tree,
  demand,
}: {
  readonly organizationId: string;
  readonly row: FactsRow | undefined;
  readonly tree: TeamTree;
  readonly demand: FactsDemand | undefined;
}): SubjectFacts {
  const rest = row === undefined ? {} : toRest(row, demand);
  if (row === undefined || row.organizationStatus === null || row.subjectStatus === null) {
    return { ...unknownSubjectFacts(organizationId), ...rest };
  }
  return {
    organization: { id: organizationId, status: row.organizationStatus },
    subject: toSubject(row.subjectStatus, row),
    bindings: toBindingFacts(row.bindings, tree),
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

/**
 * Teams below the teams of all bindings of one subject. Threat: a chain of ten thousand teams and a thousand bindings
 * along it are ten million names, made while nobody else is answered, by whoever writes an organization's declaration.
 */
const namesBelowMax = 100_000;

/** Throws when a subject's bindings reach more teams than one answer can weigh. */
function toBindingFacts(rows: readonly BindingRow[], tree: TeamTree): readonly BindingFact[] {
  let left = namesBelowMax;
  const descendantsOf = (teamId: string) => {
    const below = tree.below(teamId, left);
    if (below === undefined) {
      throw new Error(`The bindings of one subject reach more than ${namesBelowMax} teams, each counted`);
    }
    left -= below.length;
    return below;
  };
  return rows.map((row) => toBindingFact(row, descendantsOf));
}

function toBindingFact(row: BindingRow, descendantsOf: (teamId: string) => readonly string[]): BindingFact {
  const { id, role, permissions, effect, expiresAt, conditions } = row;
  return {
    id,
    role,
    permissions,
    effect,
    scope: toScope(row, descendantsOf),
    ...(expiresAt === null ? {} : { expires_at: expiresAt }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
}

function toScope(
  { scopeType, scopeId }: BindingRow,
  descendantsOf: (teamId: string) => readonly string[],
): BindingScope {
  return scopeType === 'team'
    ? { type: 'team', id: scopeId, descendants: descendantsOf(scopeId) }
    : { type: scopeType, id: scopeId };
}
