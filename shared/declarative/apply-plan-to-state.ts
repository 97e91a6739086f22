import { invariant } from '../kernel/index.ts';
import { sortEntities } from './canonical-organization.ts';
import { listReferences, type ManagedEntity, type OrganizationState, toEntityKey } from './entity.ts';
import type { Change } from './list-changes.ts';
import type { Plan } from './plan-organization.ts';

/**
 * The state that applying the plan leaves. Throws `InvariantError` when the plan is not one for this state, or when
 * any step on the way would refer to nothing: what a database with foreign keys would refuse. No function calls it:
 * it is the database's part in the tests of planning, which hold every plan to what it must lead to.
 */
export function applyPlanToState(state: OrganizationState, plan: Plan): OrganizationState {
  invariant(plan.organization === state.slug, `the plan is for "${plan.organization}", not "${state.slug}"`);
  const tables = createTables(state.entities);
  for (const change of plan.changes) applyChange(tables, change);
  return { slug: state.slug, entities: sortEntities([...tables.entities.values()]) };
}

/** The entities, and how many of them refer to each key. */
type Tables = { readonly entities: Map<string, ManagedEntity>; readonly referrers: Map<string, number> };

function createTables(entities: readonly ManagedEntity[]): Tables {
  const tables: Tables = { entities: new Map(), referrers: new Map() };
  for (const entity of entities) {
    tables.entities.set(toEntityKey(entity), entity);
    countReferences(tables, entity, 1);
  }
  return tables;
}

function applyChange(tables: Tables, { operation, entity }: Change): void {
  const key = toEntityKey(entity);
  const before = tables.entities.get(key);
  invariant((before === undefined) === (operation === 'create'), `cannot ${operation} ${key} in this state`);
  if (before !== undefined) countReferences(tables, before, -1);
  if (operation === 'delete') {
    invariant(!tables.referrers.get(key), `cannot delete ${key} while something refers to it`);
    tables.entities.delete(key);
    return;
  }
  for (const reference of listKeys(entity)) {
    invariant(tables.entities.has(reference), `${key} refers to ${reference}, which does not exist`);
  }
  tables.entities.set(key, entity);
  countReferences(tables, entity, 1);
}

function countReferences({ referrers }: Tables, entity: ManagedEntity, difference: 1 | -1): void {
  for (const key of listKeys(entity)) referrers.set(key, (referrers.get(key) ?? 0) + difference);
}

function listKeys(entity: ManagedEntity): string[] {
  const { required, optional } = listReferences(entity);
  return [...required, ...optional];
}
