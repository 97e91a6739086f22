import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { directoryIds, roleBindingView } from './directory.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listRoleBindingsOperation = defineOperation({
  id: 'listRoleBindings',
  method: 'get',
  path: '/v1/organizations/{org}/role-bindings',
  summary: 'List who holds which role where, newest first',
  permission: 'organization:read',
  query: pageQuery(directoryIds.binding),
  response: pageOf(roleBindingView),
  act: async (deps, { organization, query }) => {
    const found = await withOrg(deps.pool, organization.id, (tx) =>
      deps.stores.directory.listRoleBindings(tx, toStorePage(query)),
    );
    return ok({ body: toPage(found, query, (binding) => binding) });
  },
});
