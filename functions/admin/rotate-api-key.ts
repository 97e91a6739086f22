import { rotateApiKey } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { issuedApiKeyView, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { checkCredential } from './check-credential.ts';
import { apiKeyIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { rotateApiKeyBody } from './rotate-api-key.schema.ts';

export const rotateApiKeyOperation = defineOperation({
  id: 'rotateApiKey',
  method: 'post',
  path: '/v1/organizations/{org}/api-keys/{key}/rotate',
  summary: 'Give an API key a new secret, shown once; the one before works on for the overlap',
  permission: 'api_key:rotate',
  params: { key: apiKeyIdField },
  body: rotateApiKeyBody,
  resource: 'key',
  // A retry under the same Idempotency-Key is shown the same secret.
  status: 201,
  creates: true,
  makesCredential: true,
  response: issuedApiKeyView,
  check: async (deps, context) => {
    const { key } = context.target;
    // The use case says what becomes of a key that is not there, or is a person's own.
    if (key?.owner.type !== 'service_account') return ok(undefined);
    return checkCredential(deps, context, { account: key.owner.id, scopes: key.scopes });
  },
  act: async (deps, { actor, caller, organization, params, body }) => {
    const rotated = await rotateApiKey(
      { ...deps, store: deps.stores.apiKey, pepper: deps.rings.pepper },
      {
        ...body,
        organizationId: organization.id,
        keyId: params.key,
        actor,
        callerScopes: caller.scopes,
        callerBounds: caller,
      },
    );
    if (!rotated.ok) return toApiKeyProblem(rotated.failure);
    return ok({ body: { ...toApiKeyView(rotated.value.key), text: rotated.value.text } });
  },
});
