import { enableApiKey } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { apiKeyView, reasonField, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { requireBounds, requireReach } from './check-credential.ts';
import { apiKeyIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';

export const enableApiKeyOperation = defineOperation({
  id: 'enableApiKey',
  method: 'post',
  path: '/v1/organizations/{org}/api-keys/{key}/enable',
  summary: 'Let a disabled API key work again; repeating it changes nothing',
  permission: 'api_key:issue',
  params: { key: apiKeyIdField },
  body: { reason: reasonField.optional() },
  resource: 'key',
  makesCredential: true,
  response: apiKeyView,
  check: async (_deps, { caller, target: { key } }) => {
    if (key === undefined) return ok(undefined);
    const bounds = requireBounds(key, caller);
    return bounds.ok ? requireReach(key.scopes, caller) : bounds;
  },
  act: async (deps, { actor, organization, params, body }) => {
    const changed = await enableApiKey(
      { ...deps, store: deps.stores.apiKey },
      { organizationId: organization.id, keyId: params.key, actor, reason: body.reason },
    );
    return changed.ok ? ok({ body: toApiKeyView(changed.value) }) : toApiKeyProblem(changed.failure);
  },
});
