import { ok } from '../../shared/kernel/index.ts';
import { disableServiceAccount } from '../../shared/service-account/index.ts';
import { reasonField } from './api-key.schema.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';
import { toServiceAccountProblem } from './service-account-problem.ts';

export const disableServiceAccountOperation = defineOperation({
  id: 'disableServiceAccount',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/disable',
  summary: 'Disable a service account: all its keys and tokens are refused; repeating it changes nothing',
  permission: 'service_account:disable',
  params: { serviceAccount: serviceAccountIdField },
  body: { reason: reasonField.optional() },
  resource: 'serviceAccount',
  response: serviceAccountView,
  act: async (deps, { actor, organization, params, body }) => {
    const disabled = await disableServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      {
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        actor,
        reason: body.reason,
      },
    );
    if (!disabled.ok) return toServiceAccountProblem(disabled.failure);
    return ok({ body: toServiceAccountView(disabled.value, deps.clock.now()) });
  },
});
