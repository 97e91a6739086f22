import { isDeepStrictEqual } from 'node:util';
import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { checkReferences } from './check-references.ts';
import type { Resource } from './resource.ts';
import type { ResourceDeps } from './resource-deps.ts';
import type { ResourceFailure } from './resource-failure.ts';
import type { ResourceKey } from './resource-store.ts';

/** What is left out stays; null takes away. Attributes are replaced as a whole. */
export type ResourceChange = {
  readonly team?: string | null | undefined;
  readonly owner?: string | null | undefined;
  readonly attributes?: Resource['attributes'] | undefined;
};

export type UpdateResourceInput = ResourceKey & {
  readonly organizationId: OrganizationId;
  readonly change: ResourceChange;
  readonly actor: Actor;
};

type UpdateFailure = Exclude<
  ResourceFailure,
  { code: 'resource.type_unknown' | 'resource.already_registered' }
>;

/** Changes what decisions rest on from commit on. A change that changes nothing records nothing. */
export async function updateResource(
  deps: ResourceDeps,
  input: UpdateResourceInput,
): Promise<Result<Resource, UpdateFailure>> {
  return withOrgChange(deps.pool, input.organizationId, async (tx) => {
    const existing = await deps.store.lock(tx, input);
    if (existing === undefined) return fail({ code: 'resource.not_registered' });
    const wanted = applyChange(existing, input.change);
    const changes = (['team', 'owner', 'attributes'] as const).filter(
      (field) => !isDeepStrictEqual(wanted[field], existing[field]),
    );
    if (changes.length === 0) return ok(existing);
    const checked = await checkReferences(deps.store, tx, wanted);
    if (!checked.ok) return checked;
    const updated = { ...wanted, updatedAt: deps.clock.now() };
    await deps.store.update(tx, updated);
    const { type, resourceId } = existing;
    await deps.events.record(tx, input.organizationId, {
      type: 'uos.resource.updated.v1',
      subject: `${type}:${resourceId}`,
      actor: input.actor,
      data: { type, resourceId, changes },
    });
    return ok(updated);
  });
}

function applyChange(resource: Resource, change: ResourceChange): Resource {
  const { team = resource.team, owner = resource.owner, attributes = resource.attributes } = change;
  return { ...resource, team: team ?? undefined, owner: owner ?? undefined, attributes };
}
