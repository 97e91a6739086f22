import { ok } from '../../shared/kernel/index.ts';
import { createServiceAccount } from '../../shared/service-account/index.ts';
import { createServiceAccountBody } from './create-service-account.schema.ts';
import { defineOperation } from './operation.ts';
import { serviceAccountView, toServiceAccountView } from './service-account.schema.ts';
import { toServiceAccountProblem } from './service-account-problem.ts';

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
  example: {
    body: { name: 'ci', displayName: 'Continuous integration', labels: { env: 'prod' }, reason: 'Releases' },
  },
  about: ({ body }) => ({ team: body.ownerTeamId }),
  act: async (deps, { actor, organization, body }) => {
    const expiresAt = body.expiresAt === undefined ? undefined : new Date(body.expiresAt);
    const created = await createServiceAccount(
      { ...deps, store: deps.stores.serviceAccount },
      { ...body, expiresAt, organizationId: organization.id, actor },
    );
    if (!created.ok) return toServiceAccountProblem(created.failure);
    return ok({
      location: `/v1/organizations/${organization.id}/service-accounts/${created.value.id}`,
      body: toServiceAccountView(created.value, deps.clock.now()),
    });
  },
});
