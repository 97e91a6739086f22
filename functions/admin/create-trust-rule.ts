import { ok } from '../../shared/kernel/index.ts';
import { createTrustRule } from '../../shared/workload-identity/index.ts';
import { checkNewCredential, requireBounds } from './check-credential.ts';
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
  makesCredential: true,
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
  check: async (deps, { params, body, ...context }) => {
    const unbound = requireBounds({}, context.caller);
    if (!unbound.ok) return unbound;
    return checkNewCredential(deps, context, { account: params.serviceAccount, scopes: body.scopes });
  },
  act: async (deps, { actor, organization, params, body, checked: scopes }) => {
    const { issuer, internalIssuers } = deps.workloadIdentity;
    const created = await createTrustRule(
      { ...deps, store: deps.stores.trustRule, serviceAccounts: deps.stores.serviceAccount, internalIssuers },
      {
        ...body,
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        audience: body.audience ?? issuer,
        scopes,
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
