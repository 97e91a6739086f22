import { parseFingerprint } from '../../shared/api-key/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { parseLabelFilter } from '../../shared/service-account/index.ts';
import { apiKeyView, toApiKeyView } from './api-key.schema.ts';
import { listApiKeysQuery } from './list-api-keys.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, toPage, toStorePage } from './page.ts';
import { malformed } from './parse-request.ts';

export const listApiKeysOperation = defineOperation({
  id: 'listApiKeys',
  method: 'get',
  path: '/v1/organizations/{org}/api-keys',
  summary: 'List API keys by fingerprint, newest first',
  permission: 'api_key:read',
  query: listApiKeysQuery,
  response: pageOf(apiKeyView),
  about: ({ query }) => ({ serviceAccount: query.serviceAccount }),
  act: async (deps, { organization, query }) => {
    const { serviceAccount, user, label, fingerprint } = query;
    if (serviceAccount !== undefined && user !== undefined)
      return malformed([{ path: 'query.user', message: 'cannot stand beside serviceAccount' }]);
    const labels = label === undefined ? undefined : parseLabelFilter(label);
    if (label !== undefined && labels === undefined)
      return malformed([{ path: 'query.label', message: 'must be labels, as in team=payments,env=prod' }]);
    const page = {
      ...toStorePage(query),
      // By the id alone: the last four characters of an earlier secret stand in the trail, and nowhere else.
      id: fingerprint === undefined ? undefined : parseFingerprint(fingerprint)?.id,
      ...(serviceAccount && { owner: { type: 'service_account' as const, id: serviceAccount } }),
      ...(user && { owner: { type: 'user' as const, id: user } }),
      labels,
    };
    const found = await withOrg(deps.pool, organization.id, (tx) => deps.stores.apiKey.list(tx, page));
    return ok({ body: toPage(found, query, toApiKeyView) });
  },
});
