import { ok } from '../../shared/kernel/index.ts';
import { deleteServiceAccount } from '../../shared/service-account/index.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';
import { toServiceAccountProblem } from './service-account-problem.ts';

export const deleteServiceAccountOperation = defineOperation({
  id: 'deleteServiceAccount',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/delete',
  summary:
    'Delete a service account for ever: its keys and tokens are refused, its roles gone, its name free',
  permission: 'service_account:delete',
  params: { serviceAccount: serviceAccountIdField },
  resource: 'serviceAccount',
  response: serviceAccountView,
  act: async (deps, { actor, organization, params }) => {
    const deleted = await deleteServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      { organizationId: organization.id, serviceAccountId: params.serviceAccount, actor },
    );
    if (!deleted.ok) return toServiceAccountProblem(deleted.failure);
    return ok({ body: toServiceAccountView(deleted.value, deps.clock.now()) });
  },
});
