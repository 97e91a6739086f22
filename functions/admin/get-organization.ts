import { ok } from '../../shared/kernel/index.ts';
import { defineOperation } from './operation.ts';
import { organizationView, toOrganizationView } from './organization.schema.ts';

export const getOrganizationOperation = defineOperation({
  id: 'getOrganization',
  method: 'get',
  path: '/v1/organizations/{org}',
  summary: 'Read one organization',
  permission: 'organization:read',
  response: organizationView,
  act: async (_deps, { organization }) => ok({ body: toOrganizationView(organization) }),
});
