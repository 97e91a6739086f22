import { ok } from '../../shared/kernel/index.ts';
import { enableTrustRule } from '../../shared/workload-identity/index.ts';
import { checkCredential, requireBounds } from './check-credential.ts';
import { defineOperation } from './operation.ts';
import { toTrustRuleView, trustRuleIdField, trustRuleView } from './trust-rule.schema.ts';
import { toTrustRuleProblem } from './trust-rule-problem.ts';

export const enableTrustRuleOperation = defineOperation({
  id: 'enableTrustRule',
  method: 'post',
  path: '/v1/organizations/{org}/trust-rules/{trustRule}/enable',
  summary: 'Let a disabled trust rule work again; repeating it changes nothing',
  permission: 'trust_rule:create',
  params: { trustRule: trustRuleIdField },
  resource: 'trustRule',
  makesCredential: true,
  response: trustRuleView,
  check: async (deps, context) => {
    const { trustRule } = context.target;
    if (trustRule === undefined) return ok(undefined);
    const unbound = requireBounds({}, context.caller);
    if (!unbound.ok) return unbound;
    const { serviceAccountId: account, scopes } = trustRule;
    return checkCredential(deps, context, { account, scopes });
  },
  act: async (deps, { actor, organization, params }) => {
    const changed = await enableTrustRule(
      { ...deps, store: deps.stores.trustRule },
      { organizationId: organization.id, id: params.trustRule, actor },
    );
    return changed.ok ? ok({ body: toTrustRuleView(changed.value) }) : toTrustRuleProblem(changed.failure);
  },
});
