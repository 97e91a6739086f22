import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { checkReferences } from './check-references.ts';
import type { Resource } from './resource.ts';
import type { ResourceDeps } from './resource-deps.ts';
import type { ResourceFailure } from './resource-failure.ts';
import { isReservedResourceType } from './resource-type.ts';

export type RegisterResourceInput = Pick<Resource, 'type' | 'resourceId' | 'attributes'> & {
  readonly organizationId: OrganizationId;
  readonly team?: string | undefined;
  readonly owner?: string | undefined;
  readonly actor: Actor;
};

/** From commit on, what is registered counts in every decision, over what a request says of the same. */
export async function registerResource(
  deps: ResourceDeps,
  { actor, ...input }: RegisterResourceInput,
): Promise<Result<Resource, Exclude<ResourceFailure, { code: 'resource.not_registered' }>>> {
  const now = deps.clock.now();
  const { team, owner } = input;
  const resource: Resource = { ...input, team, owner, managedBy: 'api', createdAt: now, updatedAt: now };
  return withOrgChange(deps.pool, input.organizationId, async (tx) => {
    // One may have been registered before the platform took the name for itself.
    if (isReservedResourceType(resource.type) || (await deps.store.findType(tx, resource.type)) === undefined)
      return fail({ code: 'resource.type_unknown', type: resource.type });
    const checked = await checkReferences(deps.store, tx, resource);
    if (!checked.ok) return checked;
    if (!(await deps.store.add(tx, resource))) return fail({ code: 'resource.already_registered' });
    await deps.events.record(tx, resource.organizationId, {
      type: 'uos.resource.registered.v1',
      subject: `${resource.type}:${resource.resourceId}`,
      actor,
      data: {
        type: resource.type,
        resourceId: resource.resourceId,
        managedBy: resource.managedBy,
        ...(team === undefined ? {} : { team }),
        ...(owner === undefined ? {} : { owner }),
        attributes: Object.keys(resource.attributes).sort(),
      },
    });
    return ok(resource);
  });
}
