import { fail, ok } from '../../shared/kernel/index.ts';
import { createServiceAccount } from '../../shared/service-account/index.ts';
import { createServiceAccountBody } from './create-service-account.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';

export const createServiceAccountOperation = defineOperation({
  id: 'createServiceAccount',
  method: 'post',
  path: '/v1/organizations/{org}/service-accounts',
  summary: 'Create a service account; it can do nothing until a role is bound to it',
  permission: 'service_account:create',
  body: createServiceAccountBody,
  status: 201,
  creates: true,
  response: serviceAccountView,
  example: { body: { name: 'ci', displayName: 'Continuous integration' } },
  act: async (deps, { actor, organization, body }) => {
    const created = await createServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      { ...body, organizationId: organization.id, actor },
    );
    if (!created.ok)
      return fail({ code: 'resource.already_exists', detail: `A service account is named "${body.name}"` });
    return ok({
      location: `/v1/organizations/${organization.id}/service-accounts/${created.value.id}`,
      body: toServiceAccountView(created.value),
    });
  },
});
