import { issueApiKey } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { issuedApiKeyView, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { checkNewCredential } from './check-credential.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { issueApiKeyBody } from './issue-api-key.schema.ts';
import { toNewApiKey } from './new-api-key.ts';
import { defineOperation } from './operation.ts';

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
  makesCredential: true,
  response: issuedApiKeyView,
  example: { body: { description: 'Deployments' } },
  check: (deps, { params, body, ...context }) =>
    checkNewCredential(deps, context, { account: params.serviceAccount, scopes: body.scopes }),
  act: async (deps, { actor, caller, organization, params, body, checked: scopes }) => {
    const issued = await issueApiKey(
      { ...deps, store: deps.stores.apiKey, pepper: deps.rings.pepper },
      {
        ...toNewApiKey(organization.id, body, caller),
        serviceAccountId: params.serviceAccount,
        actor,
        scopes,
      },
    );
    if (!issued.ok) return toApiKeyProblem(issued.failure);
    // The key has no address of its own; it is found in the organization's list.
    return ok({ body: { ...toApiKeyView(issued.value.key), text: issued.value.text } });
  },
});
