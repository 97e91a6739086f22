import { ok } from '../../shared/kernel/index.ts';
import { updateServiceAccount } from '../../shared/service-account/index.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';
import { toServiceAccountProblem } from './service-account-problem.ts';
import { updateServiceAccountBody } from './update-service-account.schema.ts';

export const updateServiceAccountOperation = defineOperation({
  id: 'updateServiceAccount',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/update',
  summary:
    'Change a service account: what is left out stays, null takes away, labels are replaced as a whole',
  permission: 'service_account:update',
  params: { serviceAccount: serviceAccountIdField },
  resource: 'serviceAccount',
  body: updateServiceAccountBody,
  response: serviceAccountView,
  example: { body: { labels: { env: 'prod' }, expiresAt: '2099-01-31T00:00:00Z', ownerTeamId: null } },
  act: async (deps, { actor, organization, params, body }) => {
    const { expiresAt, reason, ...rest } = body;
    const expiry = typeof expiresAt === 'string' ? new Date(expiresAt) : expiresAt;
    const updated = await updateServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      {
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        change: { ...rest, expiresAt: expiry },
        actor,
        reason,
      },
    );
    if (!updated.ok) return toServiceAccountProblem(updated.failure);
    return ok({ body: toServiceAccountView(updated.value, deps.clock.now()) });
  },
});
