import { checkScopes, issuePersonalApiKey, policyOwnerRights } from '../../shared/api-key/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { issuedApiKeyView, toApiKeyView } from './api-key.schema.ts';
import { toApiKeyProblem } from './api-key-problem.ts';
import { issuePersonalApiKeyBody } from './issue-personal-api-key.schema.ts';
import { toNewApiKey } from './new-api-key.ts';
import { defineOperation } from './operation.ts';

export const issuePersonalApiKeyOperation = defineOperation({
  id: 'issuePersonalApiKey',
  method: 'post',
  path: '/v1/organizations/{org}/personal-api-keys',
  summary: 'Issue an API key that acts as the person who asks, within its scopes; its text is shown once',
  permission: 'personal_api_key:issue',
  body: issuePersonalApiKeyBody,
  status: 201,
  creates: true,
  makesCredential: true,
  response: issuedApiKeyView,
  example: { body: { description: 'My laptop', scopes: ['document:read'] } },
  check: async (deps, { caller, organization, body }) => {
    // Threat: whoever could issue one for somebody else could act as that person, unseen.
    if (caller.type !== 'user' || caller.organizationId !== organization.id)
      return fail({
        code: 'authorization.not_permitted',
        detail: 'Only a member can issue a personal key, and for nobody else',
      });
    const owner = { type: caller.type, id: caller.id } as const;
    const asked = { organizationId: organization.id, owner, callerScopes: caller.scopes };
    const checked = await checkScopes(policyOwnerRights(deps.access), { ...asked, scopes: body.scopes });
    return checked.ok ? ok({ owner, scopes: checked.value }) : toApiKeyProblem(checked.failure);
  },
  act: async (deps, { caller, organization, body, checked: { owner, scopes } }) => {
    const issued = await issuePersonalApiKey(
      { ...deps, store: deps.stores.apiKey, pepper: deps.rings.pepper },
      { ...toNewApiKey(organization.id, body, caller), actor: owner, scopes },
    );
    if (!issued.ok) return toApiKeyProblem(issued.failure);
    return ok({ body: { ...toApiKeyView(issued.value.key), text: issued.value.text } });
  },
});
