import { addLocator, type DatabasePool, locate, type Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import { serviceAccountId } from './service-account-id.ts';
import type { ServiceAccountStore } from './service-account-store.ts';

const columns = [
  'org_id',
  'service_account_id',
  'name',
  'display_name',
  'owner_team_id',
  'status',
  'managed_by',
  'created_at',
  'updated_at',
] as const;

export function postgresServiceAccountStore(pool: DatabasePool): ServiceAccountStore {
  return {
    add: async (tx, account) => {
      const added = await tx
        .insertInto('service_account')
        .values(toRow(account))
        .onConflict((conflict) => conflict.columns(['org_id', 'name']).doNothing())
        .returning('service_account_id')
        .executeTakeFirst();
      if (added !== undefined) await addLocator(tx, account.id, account.organizationId);
      return added !== undefined;
    },
    find: async (tx, id) => {
      const row = await tx
        .selectFrom('service_account')
        .select(columns)
        .where('service_account_id', '=', id)
        .executeTakeFirst();
      return row && toServiceAccount(row);
    },
    findByName: async (tx, name) => {
      const row = await tx
        .selectFrom('service_account')
        .select(columns)
        .where('name', '=', name)
        .executeTakeFirst();
      return row && toServiceAccount(row);
    },
    list: async (tx, page) => {
      let query = tx
        .selectFrom('service_account')
        .select(columns)
        .orderBy('service_account_id', 'desc')
        .limit(page.limit);
      if (page.before !== undefined) query = query.where('service_account_id', '<', page.before);
      return (await query.execute()).map(toServiceAccount);
    },
    setStatus: async (tx, input) => {
      const row = await tx
        .updateTable('service_account')
        .set({ status: input.status, updated_at: input.at })
        .where('service_account_id', '=', input.id)
        .where('status', '<>', input.status)
        .returning(columns)
        .executeTakeFirst();
      return row && toServiceAccount(row);
    },
    locate: async (id) => {
      const found = await locate(pool, id);
      return found === undefined ? undefined : organizationId.require(found);
    },
  };
}

function toServiceAccount(row: Rows.ServiceAccountRow): ServiceAccount {
  return {
    organizationId: organizationId.require(row.org_id),
    id: serviceAccountId.require(row.service_account_id),
    name: row.name,
    displayName: row.display_name,
    ownerTeamId: row.owner_team_id ?? undefined,
    status: row.status,
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toRow(account: ServiceAccount): Rows.ServiceAccountRow {
  return {
    org_id: account.organizationId,
    service_account_id: account.id,
    name: account.name,
    display_name: account.displayName,
    owner_team_id: account.ownerTeamId ?? null,
    status: account.status,
    managed_by: account.managedBy,
    created_at: account.createdAt,
    updated_at: account.updatedAt,
  };
}
