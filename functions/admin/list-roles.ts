import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { directoryIds, roleView } from './directory.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listRolesOperation = defineOperation({
  id: 'listRoles',
  method: 'get',
  path: '/v1/organizations/{org}/roles',
  summary: 'List the roles the organization defines itself, newest first',
  permission: 'organization:read',
  query: pageQuery(directoryIds.role),
  response: pageOf(roleView),
  act: async (deps, { organization, query }) => {
    const found = await withOrg(deps.pool, organization.id, (tx) =>
      deps.stores.directory.listRoles(tx, toStorePage(query)),
    );
    return ok({ body: toPage(found, query, (role) => role) });
  },
});
