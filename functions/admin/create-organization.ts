import { fail, ok } from '../../shared/kernel/index.ts';
import { createOrganization } from '../../shared/organization/index.ts';
import { createOrganizationBody } from './create-organization.schema.ts';
import { defineOperation } from './operation.ts';
import { organizationView, toOrganizationView } from './organization.schema.ts';

export const createOrganizationOperation = defineOperation({
  id: 'createOrganization',
  method: 'post',
  path: '/v1/organizations',
  summary: 'Create an organization that is managed by this API',
  permission: 'organization:create',
  body: createOrganizationBody,
  status: 201,
  creates: true,
  response: organizationView,
  example: { body: { name: 'acme', displayName: 'Acme' } },
  act: async (deps, { actor, body }) => {
    const created = await createOrganization(
      { ...deps, store: deps.stores.organization },
      { ...body, actor },
    );
    if (!created.ok)
      return fail({ code: 'resource.already_exists', detail: `An organization is named "${body.name}"` });
    return ok({
      location: `/v1/organizations/${created.value.id}`,
      body: toOrganizationView(created.value),
    });
  },
});
