import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, ok, type Result } from '../../shared/kernel/index.ts';
import { type ResourceTypeFailure, registerResourceType } from '../../shared/resource/index.ts';
import { defineOperation } from './operation.ts';
import { malformed } from './parse-request.ts';
import {
  actionsField,
  descriptionField,
  resourceTypeField,
  resourceTypeView,
  toResourceTypeView,
} from './resource.schema.ts';

export const registerResourceTypeOperation = defineOperation({
  id: 'registerResourceType',
  method: 'post',
  path: '/v1/organizations/{org}/resource-types',
  summary: 'Register a type of resource and what can be done with it; it grants nobody anything',
  permission: 'resource_type:create',
  body: { name: resourceTypeField, description: descriptionField, actions: actionsField },
  status: 201,
  creates: true,
  response: resourceTypeView,
  example: { body: { name: 'document', description: 'Texts', actions: ['read', 'write'] } },
  act: async (deps, { actor, organization, body }) => {
    const registered = await registerResourceType(
      { ...deps, store: deps.stores.resource },
      { ...body, organizationId: organization.id, actor },
    );
    if (!registered.ok) return toProblem(registered.failure);
    return ok({
      location: `/v1/organizations/${organization.id}/resource-types`,
      body: toResourceTypeView(registered.value),
    });
  },
});

function toProblem(failure: ResourceTypeFailure): Result<never, ProblemFailure> {
  switch (failure.code) {
    case 'resource_type.name_reserved':
      return malformed([{ path: 'body.name', message: 'is a type of the platform' }]);
    case 'resource_type.limit_reached':
      return fail({
        code: 'resource.conflict',
        detail: `There are ${failure.limit} resource types already, which is the limit`,
      });
    case 'resource_type.already_registered':
      return fail({
        code: 'resource.already_exists',
        detail: `A resource type is named "${failure.name}"`,
      });
  }
}
