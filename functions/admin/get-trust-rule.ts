import { fail, ok } from '../../shared/kernel/index.ts';
import { findTrustRule } from '../../shared/workload-identity/index.ts';
import { defineOperation } from './operation.ts';
import { toTrustRuleView, trustRuleIdField, trustRuleView } from './trust-rule.schema.ts';

export const getTrustRuleOperation = defineOperation({
  id: 'getTrustRule',
  method: 'get',
  path: '/v1/organizations/{org}/trust-rules/{trustRule}',
  summary: 'Read a trust rule',
  permission: 'trust_rule:read',
  params: { trustRule: trustRuleIdField },
  resource: 'trustRule',
  response: trustRuleView,
  act: async (deps, { organization, params }) => {
    const found = await findTrustRule(
      { pool: deps.pool, store: deps.stores.trustRule },
      { organizationId: organization.id, id: params.trustRule },
    );
    return found === undefined ? fail({ code: 'resource.not_found' }) : ok({ body: toTrustRuleView(found) });
  },
});
