import { revokeApiKey } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { apiKeyView, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { apiKeyIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { revokeApiKeyBody } from './revoke-api-key.schema.ts';

export const revokeApiKeyOperation = defineOperation({
  id: 'revokeApiKey',
  method: 'post',
  path: '/v1/organizations/{org}/api-keys/{key}/revoke',
  summary: 'Revoke an API key for ever; repeating it changes nothing',
  permission: 'api_key:revoke',
  params: { key: apiKeyIdField },
  body: revokeApiKeyBody,
  resource: 'key',
  response: apiKeyView,
  act: async (deps, { actor, organization, params, body }) => {
    const revoked = await revokeApiKey(
      { ...deps, store: deps.stores.apiKey },
      {
        organizationId: organization.id,
        keyId: params.key,
        actor,
        reason: body.reason,
      },
    );
    return revoked.ok ? ok({ body: toApiKeyView(revoked.value) }) : toApiKeyProblem(revoked.failure);
  },
});
