import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { directoryIds, memberView } from './directory.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listMembersOperation = defineOperation({
  id: 'listMembers',
  method: 'get',
  path: '/v1/organizations/{org}/members',
  summary: 'List the people of an organization, newest first',
  permission: 'organization:read',
  query: pageQuery(directoryIds.member),
  response: pageOf(memberView),
  act: async (deps, { organization, query }) => {
    const found = await withOrg(deps.pool, organization.id, (tx) =>
      deps.stores.directory.listMembers(tx, toStorePage(query)),
    );
    return ok({ body: toPage(found, query, (member) => member) });
  },
});
