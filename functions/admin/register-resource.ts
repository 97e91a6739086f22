import { ok } from '../../shared/kernel/index.ts';
import { registerResource } from '../../shared/resource/index.ts';
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

export const registerResourceOperation = defineOperation({
  id: 'registerResource',
  method: 'post',
  path: '/v1/organizations/{org}/resources',
  summary: 'Register a resource with its team, owner and attributes, for decisions and searches',
  permission: 'resource:create',
  body: {
    type: resourceTypeField,
    resourceId: resourceIdField,
    team: teamField.optional(),
    owner: ownerField.optional(),
    attributes: attributesField.default({}),
  },
  status: 201,
  creates: true,
  response: resourceView,
  example: { body: { type: 'document', resourceId: '42', attributes: { department: 'sales' } } },
  act: async (deps, { actor, organization, body }) => {
    const registered = await registerResource(
      { ...deps, store: deps.stores.resource },
      { ...body, organizationId: organization.id, actor },
    );
    if (!registered.ok) return toResourceProblem(registered.failure);
    const { type, resourceId } = registered.value;
    const query = new URLSearchParams({ type, resourceId });
    return ok({
      location: `/v1/organizations/${organization.id}/resources?${query}`,
      body: toResourceView(registered.value),
    });
  },
});
