import { canonicalJson, type JsonObject } from '../kernel/index.ts';
import { type DeclaredOrganization, sortEntities } from './canonical-organization.ts';
import {
  type Entity,
  type EntityKind,
  listReferences,
  type ManagedEntity,
  type OrganizationState,
  toEntityKey,
} from './entity.ts';

/** Why: Git says so, or what the entity refers to is removed by the same plan. */
export type ChangeReason = 'declared' | 'reference_removed';

export type Change =
  | { readonly operation: 'create'; readonly entity: ManagedEntity; readonly reason: ChangeReason }
  | {
      readonly operation: 'update';
      /** The entity as it will be. */
      readonly entity: ManagedEntity;
      readonly before: ManagedEntity;
      /** The members of `spec` that differ, and `managedBy` when Git takes over what the API made. */
      readonly fields: readonly string[];
      readonly reason: ChangeReason;
    }
  | { readonly operation: 'delete'; readonly entity: ManagedEntity; readonly reason: ChangeReason };

type Changes = { readonly [Operation in Change['operation']]: Extract<Change, { operation: Operation }>[] };

/** The ordered difference between what is and what is declared; empty when nothing has to be done. */
export function listChanges(current: OrganizationState, declared: DeclaredOrganization | null): Change[] {
  const { create, update, delete: removals } = collectChanges(current, declared);
  const after = toOrder([...current.entities, ...(declared?.entities ?? [])]);
  const before = toOrder(current.entities);
  return [
    ...[...create, ...update].toSorted((a, b) => after(a.entity) - after(b.entity)),
    ...removals.toSorted((a, b) => before(b.entity) - before(a.entity)),
  ];
}

function collectChanges(current: OrganizationState, declared: DeclaredOrganization | null): Changes {
  const actual = new Map(current.entities.map((entity) => [toEntityKey(entity), entity]));
  const desired = new Map((declared?.entities ?? []).map((entity) => [toEntityKey(entity), entity]));
  const wanted = [...desired].map(([key, entity]) => toWantedChange(actual.get(key), entity));
  const undeclared = current.entities.filter((entity) => !desired.has(toEntityKey(entity)));
  const removed = undeclared.filter(({ managedBy }) => managedBy === 'git');
  const removedKeys = new Set(removed.map(toEntityKey));
  const left = undeclared.filter(({ managedBy }) => managedBy === 'api');
  const isOrganizationRemoved = removedKeys.has(`organization/${current.slug}`);
  const orphaned = left.map((entity) =>
    isOrganizationRemoved ? toRemoval(entity, 'reference_removed') : toOrphanChange(entity, removedKeys),
  );
  const all = [...wanted, ...orphaned, ...removed.map((entity) => toRemoval(entity, 'declared'))];
  return {
    create: all.filter((change) => change?.operation === 'create'),
    update: all.filter((change) => change?.operation === 'update'),
    delete: all.filter((change) => change?.operation === 'delete'),
  };
}

function toRemoval(entity: ManagedEntity, reason: ChangeReason): Change {
  return { operation: 'delete', entity, reason };
}

function toWantedChange(before: ManagedEntity | undefined, desired: Entity): Change | undefined {
  const entity: ManagedEntity = { ...desired, managedBy: 'git' };
  if (before === undefined) return { operation: 'create', entity, reason: 'declared' };
  const fields = listDifferentFields(before.spec, entity.spec);
  if (before.managedBy === 'api') fields.push('managedBy');
  return fields.length === 0
    ? undefined
    : { operation: 'update', entity, before, fields, reason: 'declared' };
}

function listDifferentFields(before: JsonObject, after: JsonObject): string[] {
  return Object.keys(after).filter(
    (field) => canonicalJson(before[field] ?? null) !== canonicalJson(after[field] ?? null),
  );
}

/**
 * Git does not delete what the API made, but a grant must not outlive its subject, role or scope, and a removed
 * organization takes everything along. What only points at a removed team lets go of it.
 */
function toOrphanChange(entity: ManagedEntity, removed: ReadonlySet<string>): Change | undefined {
  const { required, optional } = listReferences(entity);
  const isLost = (key: string) => removed.has(key);
  if (required.some(isLost)) return toRemoval(entity, 'reference_removed');
  if (!optional.some(isLost)) return undefined;
  if (entity.kind === 'team') {
    const released = { ...entity, spec: { ...entity.spec, parent: null } };
    return {
      operation: 'update',
      entity: released,
      before: entity,
      fields: ['parent'],
      reason: 'reference_removed',
    };
  }
  if (entity.kind !== 'service-account') return undefined;
  const released = { ...entity, spec: { ...entity.spec, ownerTeam: null } };
  return {
    operation: 'update',
    entity: released,
    before: entity,
    fields: ['ownerTeam'],
    reason: 'reference_removed',
  };
}

const ranks: Readonly<Record<EntityKind, number>> = {
  organization: 0,
  role: 1,
  user: 2,
  team: 3,
  group: 4,
  'service-account': 5,
  'team-member': 6,
  'group-member': 7,
  'role-binding': 8,
};

/** A place for each entity so that whatever it refers to comes before it: by kind, parents first, then by name. */
function toOrder(entities: readonly Entity[]): (entity: Entity) => number {
  const depthOf = toTeamDepth(entities);
  const sorted = sortEntities(entities).toSorted(
    (a, b) => ranks[a.kind] - ranks[b.kind] || depthOf(a) - depthOf(b),
  );
  const places = new Map(sorted.map((entity, place) => [toEntityKey(entity), place]));
  return (entity) => places.get(toEntityKey(entity)) ?? 0;
}

function toTeamDepth(entities: readonly Entity[]): (entity: Entity) => number {
  const parents = new Map<string, string | null>();
  for (const entity of entities) if (entity.kind === 'team') parents.set(entity.name, entity.spec.parent);
  const depths = new Map<string, number>();
  return (entity) => {
    if (entity.kind !== 'team') return 0;
    const path: string[] = [];
    let team: string | null = entity.name;
    while (team !== null && !depths.has(team) && path.length <= parents.size) {
      path.push(team);
      team = parents.get(team) ?? null;
    }
    let depth = team === null ? 0 : (depths.get(team) ?? 0);
    for (const name of path.toReversed()) depths.set(name, ++depth);
    return depths.get(entity.name) ?? 0;
  };
}
