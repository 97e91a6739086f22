import { withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ResourceDeps } from './resource-deps.ts';
import type { ResourceTypeFailure } from './resource-failure.ts';
import { isReservedResourceType, type ResourceType, resourceTypesMax } from './resource-type.ts';

export type RegisterResourceTypeInput = Pick<ResourceType, 'name' | 'description' | 'actions'> & {
  readonly organizationId: OrganizationId;
  readonly actor: Actor;
};

/** Makes a type known, so that resources of it can be. It grants nobody anything. */
export async function registerResourceType(
  deps: ResourceDeps,
  { actor, ...input }: RegisterResourceTypeInput,
): Promise<Result<ResourceType, ResourceTypeFailure>> {
  const { name } = input;
  if (isReservedResourceType(name)) return fail({ code: 'resource_type.name_reserved', name });
  const now = deps.clock.now();
  const type: ResourceType = { ...input, managedBy: 'api', createdAt: now, updatedAt: now };
  return withOrg(deps.pool, input.organizationId, async (tx) => {
    // Two that come at once may end one above the limit, which is there for size and not for safety.
    if ((await deps.store.listTypes(tx)).length >= resourceTypesMax)
      return fail({ code: 'resource_type.limit_reached', limit: resourceTypesMax });
    if (!(await deps.store.addType(tx, type)))
      return fail({ code: 'resource_type.already_registered', name });
    await deps.events.record(tx, type.organizationId, {
      type: 'uos.resource-type.registered.v1',
      subject: name,
      actor,
      data: { name, actions: [...type.actions], managedBy: type.managedBy },
    });
    return ok(type);
  });
}

export async function listResourceTypes(
  deps: Pick<ResourceDeps, 'pool' | 'store'>,
  input: { organizationId: OrganizationId },
): Promise<ResourceType[]> {
  return withOrg(deps.pool, input.organizationId, (tx) => deps.store.listTypes(tx));
}
