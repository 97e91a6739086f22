import { disableApiKey } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { apiKeyView, reasonField, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { apiKeyIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';

export const disableApiKeyOperation = defineOperation({
  id: 'disableApiKey',
  method: 'post',
  path: '/v1/organizations/{org}/api-keys/{key}/disable',
  summary: 'Refuse an API key until it is enabled again; repeating it changes nothing',
  permission: 'api_key:disable',
  params: { key: apiKeyIdField },
  body: { reason: reasonField.optional() },
  resource: 'key',
  response: apiKeyView,
  act: async (deps, { actor, organization, params, body }) => {
    const changed = await disableApiKey(
      { ...deps, store: deps.stores.apiKey },
      { organizationId: organization.id, keyId: params.key, actor, reason: body.reason },
    );
    return changed.ok ? ok({ body: toApiKeyView(changed.value) }) : toApiKeyProblem(changed.failure);
  },
});
