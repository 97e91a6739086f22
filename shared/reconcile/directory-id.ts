import { type EntityKind, type ManagedEntity, toEntityKey } from '../declarative/index.ts';
import { type Clock, invariant, type Random, typeId } from '../kernel/index.ts';
import { serviceAccountId } from '../service-account/index.ts';

const kinds = {
  role: typeId('role'),
  user: typeId('usr'),
  team: typeId('team'),
  group: typeId('group'),
  'service-account': serviceAccountId,
  'role-binding': typeId('bind'),
} as const;

/** Undefined for what has no id of its own: a member, and the organization, whose id its claim gave. */
export function createDirectoryId(
  deps: { clock: Clock; random: Random },
  kind: EntityKind,
): string | undefined {
  if (kind === 'organization' || kind === 'team-member' || kind === 'group-member') return undefined;
  return kinds[kind].create(deps);
}

export function requireId(ids: ReadonlyMap<string, string>, key: string): string {
  const id = ids.get(key);
  invariant(id, `nothing is known by "${key}"`);
  return id;
}

export function requireOwnId(ids: ReadonlyMap<string, string>, entity: ManagedEntity): string {
  return requireId(ids, toEntityKey(entity));
}

export type SubjectType = 'user' | 'team' | 'group' | 'service_account';

/** `service-account/ci` as the rows and events name it. */
export function toSubject(
  ids: ReadonlyMap<string, string>,
  reference: string,
): { type: SubjectType; id: string } {
  const type = toSubjectType(reference);
  return { type, id: requireId(ids, reference) };
}

function toSubjectType(reference: string): SubjectType {
  if (reference.startsWith('team/')) return 'team';
  return reference.startsWith('group/') ? 'group' : toPrincipalType(reference);
}

export function toPrincipalType(reference: string): 'user' | 'service_account' {
  return reference.startsWith('service-account/') ? 'service_account' : 'user';
}

const resourceScope = 'resource:';

/**
 * Only the API binds at a single resource, and a declaration has no words for that. Such a scope stands as a team that
 * no declaration can name, so that a plan that takes the binding over shows the scope as changed.
 */
export function toResourceScopeName(resource: string): string {
  return `${resourceScope}${resource}`;
}

export type Scope = { readonly type: 'organization' | 'team' | 'resource'; readonly id: string };

export function toScope(
  ids: ReadonlyMap<string, string>,
  organizationId: string,
  scope: { readonly team: string } | null,
): Scope {
  if (scope === null) return { type: 'organization', id: organizationId };
  if (scope.team.startsWith(resourceScope)) {
    return { type: 'resource', id: scope.team.slice(resourceScope.length) };
  }
  return { type: 'team', id: requireId(ids, `team/${scope.team}`) };
}
