import { ok } from '../../shared/kernel/index.ts';
import { listServiceAccounts, parseLabelFilter } from '../../shared/service-account/index.ts';
import { listServiceAccountsQuery } from './list-service-accounts.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, toPage, toStorePage } from './page.ts';
import { malformed } from './parse-request.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';

export const listServiceAccountsOperation = defineOperation({
  id: 'listServiceAccounts',
  method: 'get',
  path: '/v1/organizations/{org}/service-accounts',
  summary: 'List service accounts, newest first',
  permission: 'service_account:read',
  query: listServiceAccountsQuery,
  response: pageOf(serviceAccountView),
  about: ({ query }) => ({ team: query.ownerTeam }),
  act: async (deps, { organization, query }) => {
    const { label, status, ownerTeam } = query;
    const labels = label === undefined ? {} : parseLabelFilter(label);
    if (labels === undefined)
      return malformed([{ path: 'query.label', message: 'names a label twice, or none that there can be' }]);
    const at = deps.clock.now();
    const found = await listServiceAccounts(
      { pool: deps.pool, store: deps.stores.serviceAccount },
      {
        organizationId: organization.id,
        ...toStorePage(query),
        ...(label === undefined ? {} : { labels }),
        ...(status === undefined ? {} : { state: { is: status, at } }),
        ...(ownerTeam === undefined ? {} : { ownerTeamId: ownerTeam }),
      },
    );
    return ok({ body: toPage(found, query, (account) => toServiceAccountView(account, at)) });
  },
});
