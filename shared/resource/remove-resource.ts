import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Resource } from './resource.ts';
import type { ResourceDeps } from './resource-deps.ts';
import type { ResourceKey } from './resource-store.ts';

export type RemoveResourceInput = ResourceKey & {
  readonly organizationId: OrganizationId;
  readonly actor: Actor;
};

/** From commit on, only what a request says of the resource counts. */
export async function removeResource(
  deps: Omit<ResourceDeps, 'clock'>,
  input: RemoveResourceInput,
): Promise<Result<Resource, { readonly code: 'resource.not_registered' }>> {
  return withOrgChange(deps.pool, input.organizationId, async (tx) => {
    const existing = await deps.store.lock(tx, input);
    if (existing === undefined) return fail({ code: 'resource.not_registered' });
    await deps.store.remove(tx, existing);
    const { type, resourceId } = existing;
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.resource.removed.v1',
      subject: `${type}:${resourceId}`,
      actor: input.actor,
      data: { type, resourceId },
    });
    return ok(existing);
  });
}
