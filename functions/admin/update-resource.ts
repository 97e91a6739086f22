import { ok } from '../../shared/kernel/index.ts';
import { updateResource } from '../../shared/resource/index.ts';
import { defineOperation } from './operation.ts';
import {
  attributesField,
  ownerField,
  resourceIdField,
  resourceTypeField,
  resourceView,
  teamField,
  toResourceView,
} from './resource.schema.ts';
import { toResourceProblem } from './resource-problem.ts';

/** The id is in the body: it may hold anything, slashes too. */
export const updateResourceOperation = defineOperation({
  id: 'updateResource',
  method: 'post',
  path: '/v1/organizations/{org}/resources/update',
  summary: 'Change a resource: what is left out stays, null takes away, attributes are replaced as a whole',
  permission: 'resource:update',
  body: {
    type: resourceTypeField,
    resourceId: resourceIdField,
    team: teamField.nullable().optional(),
    owner: ownerField.nullable().optional(),
    attributes: attributesField.optional(),
  },
  response: resourceView,
  example: { body: { type: 'document', resourceId: '42', team: null, attributes: { department: 'legal' } } },
  act: async (deps, { actor, organization, body }) => {
    const { type, resourceId, ...change } = body;
    const updated = await updateResource(
      { ...deps, store: deps.stores.resource },
      { organizationId: organization.id, type, resourceId, change, actor },
    );
    return updated.ok ? ok({ body: toResourceView(updated.value) }) : toResourceProblem(updated.failure);
  },
});
