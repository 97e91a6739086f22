import { checkReach } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { createTrustRule } from '../../shared/workload-identity/index.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { createTrustRuleBody } from './create-trust-rule.schema.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { toTrustRuleView, trustRuleView } from './trust-rule.schema.ts';
import { toTrustRuleProblem } from './trust-rule-problem.ts';

export const createTrustRuleOperation = defineOperation({
  id: 'createTrustRule',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/trust-rules',
  summary: 'Let tokens of a foreign issuer prove to be a service account, so that it needs no key',
  permission: 'trust_rule:create',
  params: { serviceAccount: serviceAccountIdField },
  body: createTrustRuleBody,
  status: 201,
  creates: true,
  response: trustRuleView,
  example: {
    body: {
      name: 'deployments',
      issuer: 'https://token.actions.githubusercontent.com',
      subjectPattern: 'repo:octo-org/octo-repo:ref:refs/heads/main',
      requiredClaims: [
        { pointer: '/repository_owner_id', value: '65' },
        { pointer: '/repository_id', value: '74' },
      ],
    },
  },
  act: async (deps, { actor, caller, organization, params, body }) => {
    // Threat: a narrowed credential that makes a rule, and by it a token that is wider than itself.
    const reach = checkReach(body.scopes, caller.scopes);
    if (!reach.ok) return toApiKeyProblem(reach.failure);
    const { issuer, internalIssuers } = deps.workloadIdentity;
    const created = await createTrustRule(
      { ...deps, store: deps.stores.trustRule, serviceAccounts: deps.stores.serviceAccount, internalIssuers },
      {
        ...body,
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        audience: body.audience ?? issuer,
        scopes: body.scopes,
        jwks: body.jwks,
        actor,
      },
    );
    if (!created.ok) return toTrustRuleProblem(created.failure);
    return ok({
      location: `/v1/organizations/${organization.id}/trust-rules/${created.value.id}`,
      body: toTrustRuleView(created.value),
    });
  },
});
