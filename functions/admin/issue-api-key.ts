import { checkReach, checkScopes, issueApiKey, policyOwnerRights } from '../../shared/api-key/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { issuedApiKeyView, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
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
  response: issuedApiKeyView,
  example: { body: { description: 'Deployments' } },
  act: async (deps, { actor, caller, organization, params, body }) => {
    const owner = { type: 'service_account', id: params.serviceAccount } as const;
    const asked = { organizationId: organization.id, owner, callerScopes: caller.scopes };
    const checked =
      body.scopes === undefined
        ? checkReach(undefined, caller.scopes)
        : await checkScopes(policyOwnerRights(deps.access), { ...asked, scopes: body.scopes });
    if (!checked.ok) return toApiKeyProblem(checked.failure);
    const issued = await issueApiKey(
      { ...deps, store: deps.stores.apiKey, pepper: deps.rings.pepper },
      {
        ...toNewApiKey(organization.id, body),
        serviceAccountId: params.serviceAccount,
        actor,
        ...(checked.value === true ? {} : { scopes: checked.value }),
      },
    );
    if (!issued.ok) return toApiKeyProblem(issued.failure);
    // The key has no address of its own; it is found in the organization's list.
    return ok({ body: { ...toApiKeyView(issued.value.key), text: issued.value.text } });
  },
});
