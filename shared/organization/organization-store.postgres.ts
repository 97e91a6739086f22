import type { Rows } from '../db/index.ts';
import type { Organization } from './organization.ts';
import { organizationId } from './organization-id.ts';
import type { OrganizationStore } from './organization-store.ts';

const columns = [
  'org_id',
  'name',
  'display_name',
  'status',
  'managed_by',
  'created_at',
  'updated_at',
] as const;

export const postgresOrganizationStore: OrganizationStore = {
  add: async (tx, organization) => {
    const added = await tx
      .insertInto('organization')
      .values(toRow(organization))
      // Another tenant's row is invisible here, and the unique index still sees it.
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('org_id')
      .executeTakeFirst();
    return added !== undefined;
  },
  find: async (tx, reference) => {
    const row = await tx
      .selectFrom('organization')
      .select(columns)
      .where(organizationId.is(reference) ? 'org_id' : 'name', '=', reference)
      .executeTakeFirst();
    return row && toOrganization(row);
  },
  list: async (tx, page) => {
    let query = tx.selectFrom('organization').select(columns).orderBy('org_id', 'desc').limit(page.limit);
    if (page.before !== undefined) query = query.where('org_id', '<', page.before);
    return (await query.execute()).map(toOrganization);
  },
};

function toOrganization(row: Rows.OrganizationRow): Organization {
  return {
    id: organizationId.require(row.org_id),
    name: row.name,
    displayName: row.display_name,
    status: row.status,
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toRow(organization: Organization): Rows.OrganizationRow {
  return {
    org_id: organization.id,
    name: organization.name,
    display_name: organization.displayName,
    status: organization.status,
    managed_by: organization.managedBy,
    created_at: organization.createdAt,
    updated_at: organization.updatedAt,
  };
}
