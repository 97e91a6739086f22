import { z } from 'zod';
import { ok } from '../../shared/kernel/index.ts';
import { listResources } from '../../shared/resource/index.ts';
import { defineOperation } from './operation.ts';
import { pageLimitMax, pageOf } from './page.ts';
import { resourceIdField, resourceTypeField, resourceView, toResourceView } from './resource.schema.ts';

export const listResourcesOperation = defineOperation({
  id: 'listResources',
  method: 'get',
  path: '/v1/organizations/{org}/resources',
  summary: 'List the resources of a type by id, or the one of an id',
  permission: 'resource:read',
  query: {
    type: resourceTypeField,
    resourceId: resourceIdField.optional(),
    limit: z.coerce.number().int().min(1).max(pageLimitMax).default(50).describe('Items of a page'),
    cursor: resourceIdField.optional().describe('The nextCursor of the page before'),
  },
  response: pageOf(resourceView),
  example: { query: { type: 'document' } },
  act: async (deps, { organization, query }) => {
    const { type, resourceId, limit, cursor } = query;
    const found = await listResources(
      { pool: deps.pool, store: deps.stores.resource },
      { organizationId: organization.id, type, resourceId, limit: limit + 1, after: cursor },
    );
    const items = found.slice(0, limit);
    const last = items.at(-1);
    const next = found.length > limit && last !== undefined ? { nextCursor: last.resourceId } : {};
    return ok({ body: { items: items.map(toResourceView), ...next } });
  },
});
