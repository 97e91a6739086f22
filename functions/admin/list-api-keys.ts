import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { apiKeyView, toApiKeyView } from './api-key.schema.ts';
import { listApiKeysQuery } from './list-api-keys.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, toPage, toStorePage } from './page.ts';

export const listApiKeysOperation = defineOperation({
  id: 'listApiKeys',
  method: 'get',
  path: '/v1/organizations/{org}/api-keys',
  summary: 'List API keys by fingerprint, newest first',
  permission: 'api_key:read',
  query: listApiKeysQuery,
  response: pageOf(apiKeyView),
  act: async (deps, { organization, query }) => {
    const owner = query.serviceAccount;
    const page = {
      ...toStorePage(query),
      ...(owner === undefined ? {} : { owner: { type: 'service_account' as const, id: owner } }),
    };
    const found = await withOrg(deps.pool, organization.id, (tx) => deps.stores.apiKey.list(tx, page));
    return ok({ body: toPage(found, query, toApiKeyView) });
  },
});
