import { withOrg } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { TrustRule } from './trust-rule.ts';
import type { TrustRuleDeps } from './trust-rule-deps.ts';
import type { TrustRuleId } from './trust-rule-id.ts';

type Deps = Pick<TrustRuleDeps, 'pool' | 'store'>;

export async function findTrustRule(
  deps: Deps,
  input: { organizationId: OrganizationId; id: TrustRuleId },
): Promise<TrustRule | undefined> {
  return withOrg(deps.pool, input.organizationId, (tx) => deps.store.find(tx, input.id));
}

/** Newest first. */
export async function listTrustRules(
  deps: Deps,
  input: { organizationId: OrganizationId; serviceAccountId: ServiceAccountId },
): Promise<TrustRule[]> {
  return withOrg(deps.pool, input.organizationId, (tx) => deps.store.list(tx, input.serviceAccountId));
}
