import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { directoryIds, teamView } from './directory.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, pageQuery, toPage, toStorePage } from './page.ts';

export const listTeamsOperation = defineOperation({
  id: 'listTeams',
  method: 'get',
  path: '/v1/organizations/{org}/teams',
  summary: 'List teams with their members, newest first',
  permission: 'organization:read',
  query: pageQuery(directoryIds.team),
  response: pageOf(teamView),
  act: async (deps, { organization, query }) => {
    const found = await withOrg(deps.pool, organization.id, (tx) =>
      deps.stores.directory.listTeams(tx, toStorePage(query)),
    );
    return ok({ body: toPage(found, query, (team) => team) });
  },
});
