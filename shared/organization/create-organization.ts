import { withOrg } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { Organization } from './organization.ts';
import type { OrganizationDeps } from './organization-deps.ts';
import type { OrganizationFailure } from './organization-failure.ts';
import { organizationId } from './organization-id.ts';

export type CreateOrganizationInput = {
  /** Of the form `namePattern` of shared/kernel. */
  readonly name: string;
  readonly displayName: string;
  readonly actor: Actor;
};

/** Creates an organization that is managed by the API. The event is the first of the new organization's own trail. */
export async function createOrganization(
  deps: OrganizationDeps,
  input: CreateOrganizationInput,
): Promise<Result<Organization, OrganizationFailure>> {
  const now = deps.clock.now();
  const organization: Organization = {
    id: organizationId.create(deps),
    name: input.name,
    displayName: input.displayName,
    status: 'active',
    managedBy: 'api',
    createdAt: now,
    updatedAt: now,
  };
  return withOrg(deps.pool, organization.id, async (tx) => {
    if (!(await deps.store.add(tx, organization)))
      return fail({ code: 'organization.name_taken', name: input.name });
    await deps.events.record(tx, organization.id, {
      type: 'uos.organization.created.v1',
      subject: organization.id,
      actor: input.actor,
      data: { name: organization.name, managedBy: organization.managedBy },
    });
    return ok(organization);
  });
}
