import { invariant } from '../kernel/index.ts';
import { sortEntities } from './canonical-organization.ts';
import { listReferences, type ManagedEntity, type OrganizationState, toEntityKey } from './entity.ts';
import type { Change } from './list-changes.ts';
import type { Plan } from './plan-organization.ts';

/**
 * The state that applying the plan leaves. Throws `InvariantError` when the plan is not one for this state, or when
 * any step on the way would refer to nothing: what a database with foreign keys would refuse.
 */
export function applyPlanToState(state: OrganizationState, plan: Plan): OrganizationState {
  invariant(plan.organization === state.slug, `the plan is for "${plan.organization}", not "${state.slug}"`);
  const entities = new Map(state.entities.map((entity) => [toEntityKey(entity), entity]));
  for (const change of plan.changes) applyChange(entities, change);
  for (const entity of entities.values()) requireReferences(entities, entity);
  return { slug: state.slug, entities: sortEntities([...entities.values()]) };
}

function applyChange(entities: Map<string, ManagedEntity>, { operation, entity }: Change): void {
  const key = toEntityKey(entity);
  invariant(entities.has(key) === (operation !== 'create'), `cannot ${operation} ${key} in this state`);
  if (operation === 'delete') {
    entities.delete(key);
    return;
  }
  entities.set(key, entity);
  requireReferences(entities, entity);
}

function requireReferences(entities: ReadonlyMap<string, ManagedEntity>, entity: ManagedEntity): void {
  const { required, optional } = listReferences(entity);
  for (const key of [...required, ...optional]) {
    invariant(entities.has(key), `${toEntityKey(entity)} refers to ${key}, which does not exist`);
  }
}
