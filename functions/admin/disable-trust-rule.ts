import { ok } from '../../shared/kernel/index.ts';
import { disableTrustRule } from '../../shared/workload-identity/index.ts';
import { defineOperation } from './operation.ts';
import { toTrustRuleView, trustRuleIdField, trustRuleView } from './trust-rule.schema.ts';
import { toTrustRuleProblem } from './trust-rule-problem.ts';

export const disableTrustRuleOperation = defineOperation({
  id: 'disableTrustRule',
  method: 'post',
  path: '/v1/organizations/{org}/trust-rules/{trustRule}/disable',
  summary:
    'Disable a trust rule: it and all tokens issued under it are refused; repeating it changes nothing',
  permission: 'trust_rule:disable',
  params: { trustRule: trustRuleIdField },
  resource: 'trustRule',
  response: trustRuleView,
  act: async (deps, { actor, organization, params }) => {
    const changed = await disableTrustRule(
      { ...deps, store: deps.stores.trustRule },
      { organizationId: organization.id, id: params.trustRule, actor },
    );
    return changed.ok ? ok({ body: toTrustRuleView(changed.value) }) : toTrustRuleProblem(changed.failure);
  },
});
