import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { directoryIds, groupView } from './directory.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listGroupsOperation = defineOperation({
  id: 'listGroups',
  method: 'get',
  path: '/v1/organizations/{org}/groups',
  summary: 'List groups, newest first',
  permission: 'group:read',
  query: pageQuery(directoryIds.group),
  response: pageOf(groupView),
  act: async (deps, { organization, query }) => {
    const found = await withOrg(deps.pool, organization.id, (tx) =>
      deps.stores.directory.listGroups(tx, toStorePage(query)),
    );
    return ok({ body: toPage(found, query, (group) => group) });
  },
});
