import { fail, ok } from '../../shared/kernel/index.ts';
import { findServiceAccount } from '../../shared/service-account/index.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';

export const getServiceAccountOperation = defineOperation({
  id: 'getServiceAccount',
  method: 'get',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}',
  summary: 'Read one service account, also after it was deleted',
  permission: 'service_account:read',
  params: { serviceAccount: serviceAccountIdField },
  resource: 'serviceAccount',
  response: serviceAccountView,
  act: async (deps, { organization, params }) => {
    const found = await findServiceAccount(
      { pool: deps.pool, store: deps.stores.serviceAccount },
      { organizationId: organization.id, serviceAccountId: params.serviceAccount },
    );
    return found === undefined
      ? fail({ code: 'resource.not_found' })
      : ok({ body: toServiceAccountView(found, deps.clock.now()) });
  },
});
