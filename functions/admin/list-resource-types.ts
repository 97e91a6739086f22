import { z } from 'zod';
import { ok } from '../../shared/kernel/index.ts';
import { listResourceTypes } from '../../shared/resource/index.ts';
import { defineOperation } from './operation.ts';
import { resourceTypeView, toResourceTypeView } from './resource.schema.ts';

export const listResourceTypesOperation = defineOperation({
  id: 'listResourceTypes',
  method: 'get',
  path: '/v1/organizations/{org}/resource-types',
  summary: 'List all resource types, by name',
  permission: 'resource_type:read',
  response: z.strictObject({ items: z.array(resourceTypeView) }),
  act: async (deps, { organization }) => {
    const types = await listResourceTypes(
      { pool: deps.pool, store: deps.stores.resource },
      { organizationId: organization.id },
    );
    return ok({ body: { items: types.map(toResourceTypeView) } });
  },
});
