import { type DatabasePool, withOrg } from '../db/index.ts';
import { invariant } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { AuditTrailStore, TrailEvent, TrailPage } from './audit-trail-store.ts';

const trailPageMax = 200;

/** A page of what happened in one organization, newest first. The next page is asked for with the last id of this one. */
export async function listTrail(
  deps: { readonly pool: DatabasePool; readonly store: AuditTrailStore },
  input: TrailPage & { organizationId: OrganizationId },
): Promise<readonly TrailEvent[]> {
  const { organizationId, ...page } = input;
  invariant(page.limit >= 1 && page.limit <= trailPageMax, `a page holds 1 to ${trailPageMax} events`);
  return withOrg(deps.pool, organizationId, (tx) => deps.store.list(tx, page));
}
