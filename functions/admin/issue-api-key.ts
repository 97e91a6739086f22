import { type ApiKeyFailure, issueApiKey } from '../../shared/api-key/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import { toApiKeyView } from './api-key.schema.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { issueApiKeyBody, issuedApiKeyView } from './issue-api-key.schema.ts';
import { defineOperation } from './operation.ts';
import { malformed } from './parse-request.ts';

export const issueApiKeyOperation = defineOperation({
  id: 'issueApiKey',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/api-keys',
  summary: 'Issue an API key of a service account; its text is shown once',
  permission: 'api_key:issue',
  params: { serviceAccount: serviceAccountIdField },
  body: issueApiKeyBody,
  status: 201,
  creates: true,
  response: issuedApiKeyView,
  example: { body: { description: 'Deployments' } },
  act: async (deps, { actor, organization, params, body }) => {
    const { expiresAt, ...rest } = body;
    const issued = await issueApiKey(
      { ...deps, store: deps.stores.apiKey, pepper: deps.rings.pepper },
      {
        ...rest,
        organizationId: organization.id,
        serviceAccountId: params.serviceAccount,
        actor,
        ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt) }),
      },
    );
    if (!issued.ok) return toProblem(issued.failure);
    // The key has no address of its own; it is found in the organization's list.
    return ok({ body: { ...toApiKeyView(issued.value.key), text: issued.value.text } });
  },
});

function toProblem(failure: ApiKeyFailure): Result<never, ProblemFailure> {
  if (failure.code === 'api_key.expiry_in_past')
    return malformed([{ path: 'body.expiresAt', message: 'is in the past' }]);
  return fail({ code: 'resource.not_found', detail: 'There is no such active service account' });
}
