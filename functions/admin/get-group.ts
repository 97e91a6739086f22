import { withOrg } from '../../shared/db/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { directoryIds, groupWithMembersView } from './directory.schema.ts';
import { idField } from './field.schema.ts';
import { defineOperation } from './operation.ts';

export const getGroupOperation = defineOperation({
  id: 'getGroup',
  method: 'get',
  path: '/v1/organizations/{org}/groups/{group}',
  summary: 'Read a group with its members',
  permission: 'group:read',
  params: { group: idField(directoryIds.group, 'Group') },
  resource: 'group',
  response: groupWithMembersView,
  act: async (deps, { organization, params }) => {
    const found = await withOrg(deps.pool, organization.id, (tx) =>
      deps.stores.directory.findGroup(tx, params.group),
    );
    return found === undefined ? fail({ code: 'resource.not_found' }) : ok({ body: found });
  },
});
