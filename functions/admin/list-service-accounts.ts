import { ok } from '../../shared/kernel/index.ts';
import { listServiceAccounts, serviceAccountId } from '../../shared/service-account/index.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';

export const listServiceAccountsOperation = defineOperation({
  id: 'listServiceAccounts',
  method: 'get',
  path: '/v1/organizations/{org}/service-accounts',
  summary: 'List service accounts, newest first',
  permission: 'service_account:read',
  query: pageQuery(serviceAccountId),
  response: pageOf(serviceAccountView),
  act: async (deps, { organization, query }) => {
    const found = await listServiceAccounts(
      { pool: deps.pool, store: deps.stores.serviceAccount },
      { organizationId: organization.id, ...toStorePage(query) },
    );
    return ok({ body: toPage(found, query, toServiceAccountView) });
  },
});
