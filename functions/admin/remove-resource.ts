import { ok } from '../../shared/kernel/index.ts';
import { removeResource } from '../../shared/resource/index.ts';
import { defineOperation } from './operation.ts';
import { resourceIdField, resourceTypeField, resourceView, toResourceView } from './resource.schema.ts';
import { toResourceProblem } from './resource-problem.ts';

export const removeResourceOperation = defineOperation({
  id: 'removeResource',
  method: 'post',
  path: '/v1/organizations/{org}/resources/remove',
  summary: 'Forget a resource: decisions then rest on what a request says of it; answers what it was',
  permission: 'resource:remove',
  body: { type: resourceTypeField, resourceId: resourceIdField },
  response: resourceView,
  example: { body: { type: 'document', resourceId: '42' } },
  act: async (deps, { actor, organization, body }) => {
    const removed = await removeResource(
      { ...deps, store: deps.stores.resource },
      { ...body, organizationId: organization.id, actor },
    );
    return removed.ok ? ok({ body: toResourceView(removed.value) }) : toResourceProblem(removed.failure);
  },
});
