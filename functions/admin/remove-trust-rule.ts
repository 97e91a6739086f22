import { ok } from '../../shared/kernel/index.ts';
import { removeTrustRule } from '../../shared/workload-identity/index.ts';
import { defineOperation } from './operation.ts';
import { toTrustRuleView, trustRuleIdField, trustRuleView } from './trust-rule.schema.ts';
import { toTrustRuleProblem } from './trust-rule-problem.ts';

export const removeTrustRuleOperation = defineOperation({
  id: 'removeTrustRule',
  method: 'post',
  path: '/v1/organizations/{org}/trust-rules/{trustRule}/remove',
  summary: 'Remove a trust rule: all tokens issued under it are refused; answers what it was',
  permission: 'trust_rule:remove',
  params: { trustRule: trustRuleIdField },
  resource: 'trustRule',
  response: trustRuleView,
  act: async (deps, { actor, organization, params }) => {
    const changed = await removeTrustRule(
      { ...deps, store: deps.stores.trustRule },
      { organizationId: organization.id, id: params.trustRule, actor },
    );
    return changed.ok ? ok({ body: toTrustRuleView(changed.value) }) : toTrustRuleProblem(changed.failure);
  },
});
