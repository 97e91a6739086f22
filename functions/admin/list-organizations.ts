import { ok } from '../../shared/kernel/index.ts';
import { listOrganizations, organizationId } from '../../shared/organization/index.ts';
import { defineOperation } from './operation.ts';
import { organizationView, toOrganizationView } from './organization.schema.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listOrganizationsOperation = defineOperation({
  id: 'listOrganizations',
  method: 'get',
  path: '/v1/organizations',
  summary: 'List the organizations the caller may see: its own, or as a platform operator all',
  permission: 'organization:list',
  tenantPermission: 'organization:read',
  query: pageQuery(organizationId),
  response: pageOf(organizationView),
  act: async (deps, { caller, query }) => {
    const found = await listOrganizations(
      { pool: deps.pool, store: deps.stores.organization },
      { seenFrom: caller.organizationId, ...toStorePage(query) },
    );
    return ok({ body: toPage(found, query, toOrganizationView) });
  },
});
