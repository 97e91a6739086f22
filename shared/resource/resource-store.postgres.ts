import type { Selectable } from 'kysely';
import type { OrgTransaction, Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import { type Resource, resourceAttributesSchema } from './resource.ts';
import type { ResourceKey, ResourceStore } from './resource-store.ts';
import type { ResourceType } from './resource-type.ts';

const typeColumns = [
  'org_id',
  'name',
  'description',
  'actions',
  'managed_by',
  'created_at',
  'updated_at',
] as const;

const columns = [
  'org_id',
  'resource_type',
  'resource_id',
  'team_id',
  'owner',
  'attributes',
  'managed_by',
  'created_at',
  'updated_at',
] as const;

export const postgresResourceStore: ResourceStore = {
  addType: async (tx, type) => {
    const added = await tx
      .insertInto('resource_type')
      .values({
        org_id: type.organizationId,
        name: type.name,
        description: type.description,
        actions: [...type.actions],
        managed_by: type.managedBy,
        created_at: type.createdAt,
        updated_at: type.updatedAt,
      })
      .onConflict((conflict) => conflict.columns(['org_id', 'name']).doNothing())
      .returning('name')
      .executeTakeFirst();
    return added !== undefined;
  },
  listTypes: async (tx) => {
    const rows = await tx.selectFrom('resource_type').select(typeColumns).orderBy('name').execute();
    return rows.map(toResourceType);
  },
  findType: async (tx, name) => {
    const row = await tx
      .selectFrom('resource_type')
      .select(typeColumns)
      .where('name', '=', name)
      .executeTakeFirst();
    return row && toResourceType(row);
  },
  add: async (tx, resource) => {
    const added = await tx
      .insertInto('resource')
      .values(toRow(resource))
      .onConflict((conflict) => conflict.columns(['org_id', 'resource_type', 'resource_id']).doNothing())
      .returning('resource_id')
      .executeTakeFirst();
    return added !== undefined;
  },
  lock: async (tx, key) => {
    const row = await byKey(tx, key).select(columns).forUpdate().executeTakeFirst();
    return row && toResource(row);
  },
  list: async (tx, { type, resourceId, limit, after }) => {
    let query = tx
      .selectFrom('resource')
      .select(columns)
      .where('resource_type', '=', type)
      .orderBy('resource_id')
      .limit(limit);
    if (resourceId !== undefined) query = query.where('resource_id', '=', resourceId);
    if (after !== undefined) query = query.where('resource_id', '>', after);
    return (await query.execute()).map(toResource);
  },
  update: async (tx, resource) => {
    const { team_id, owner, attributes, updated_at } = toRow(resource);
    await tx
      .updateTable('resource')
      .set({ team_id, owner, attributes, updated_at })
      .where('resource_type', '=', resource.type)
      .where('resource_id', '=', resource.resourceId)
      .execute();
  },
  remove: async (tx, { type, resourceId }) => {
    await tx
      .deleteFrom('resource')
      .where('resource_type', '=', type)
      .where('resource_id', '=', resourceId)
      .execute();
  },
  hasTeam: async (tx, id) => {
    const row = await tx.selectFrom('team').select('team_id').where('team_id', '=', id).executeTakeFirst();
    return row !== undefined;
  },
  hasOwner: async (tx, id) => {
    const row = await tx
      .selectFrom('membership')
      .select('user_id as id')
      .where('user_id', '=', id)
      .unionAll(
        tx
          .selectFrom('service_account')
          .select('service_account_id as id')
          .where('service_account_id', '=', id)
          .where('status', '<>', 'deleted'),
      )
      .executeTakeFirst();
    return row !== undefined;
  },
};

function byKey(tx: OrgTransaction, { type, resourceId }: ResourceKey) {
  return tx.selectFrom('resource').where('resource_type', '=', type).where('resource_id', '=', resourceId);
}

function toResourceType(row: Rows.ResourceTypeRow): ResourceType {
  return {
    organizationId: organizationId.require(row.org_id),
    name: row.name,
    description: row.description,
    actions: row.actions,
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toResource(row: Selectable<Rows.ResourceRow>): Resource {
  return {
    organizationId: organizationId.require(row.org_id),
    type: row.resource_type,
    resourceId: row.resource_id,
    team: row.team_id ?? undefined,
    owner: row.owner ?? undefined,
    attributes: resourceAttributesSchema.parse(row.attributes),
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toRow(resource: Resource) {
  return {
    org_id: resource.organizationId,
    resource_type: resource.type,
    resource_id: resource.resourceId,
    team_id: resource.team ?? null,
    owner: resource.owner ?? null,
    attributes: JSON.stringify(resource.attributes),
    managed_by: resource.managedBy,
    created_at: resource.createdAt,
    updated_at: resource.updatedAt,
  };
}
