import { ok } from '../../shared/kernel/index.ts';
import { enableServiceAccount } from '../../shared/service-account/index.ts';
import { reasonField } from './api-key.schema.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';
import { toServiceAccountProblem } from './service-account-problem.ts';

export const enableServiceAccountOperation = defineOperation({
  id: 'enableServiceAccount',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/enable',
  summary: 'Enable a service account again: its unrevoked keys work; repeating it changes nothing',
  permission: 'service_account:create',
  params: { serviceAccount: serviceAccountIdField },
  body: { reason: reasonField.optional() },
  resource: 'serviceAccount',
  response: serviceAccountView,
  act: async (deps, { actor, organization, params, body }) => {
    const enabled = await enableServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      {
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        actor,
        reason: body.reason,
      },
    );
    if (!enabled.ok) return toServiceAccountProblem(enabled.failure);
    return ok({ body: toServiceAccountView(enabled.value, deps.clock.now()) });
  },
});
