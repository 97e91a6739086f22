import { withOrg } from '../db/index.ts';
import type { GitSourceId } from '../git-source/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { type OrganizationId, organizationId, platformOrganizationId } from '../organization/index.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { Refusal } from './reconcile-failure.ts';
import { refuseClaim } from './refusal.ts';

/**
 * The id of the organization that this source may declare under a name. The claim is recorded before the organization
 * is made, so a run that dies in between is taken up by the next one under the same id.
 */
export async function claimOrganization(
  deps: Pick<ReconcileDeps, 'pool' | 'statuses' | 'clock' | 'random'>,
  input: { sourceId: GitSourceId; name: string },
): Promise<Result<OrganizationId, { readonly code: 'claim.refused'; readonly refusal: Refusal }>> {
  const { sourceId, name } = input;
  return withOrg(deps.pool, platformOrganizationId, async (tx) => {
    const existing = await deps.statuses.findOrganizationId(tx, name);
    const claimed = await deps.statuses.findClaim(tx, name);
    if (claimed !== undefined && claimed.sourceId !== sourceId)
      return refuse('organization.claimed_by_other_source');
    if (existing !== undefined && existing !== claimed?.organizationId)
      return refuse('organization.not_declared_by_git');
    if (claimed !== undefined) return ok(claimed.organizationId);
    const made = await deps.statuses.claim(tx, {
      sourceId,
      name,
      organizationId: organizationId.create(deps),
    });
    return made.sourceId === sourceId
      ? ok(made.organizationId)
      : refuse('organization.claimed_by_other_source');
  });
}

function refuse(code: Parameters<typeof refuseClaim>[0]) {
  return fail({ code: 'claim.refused', refusal: refuseClaim(code) });
}
