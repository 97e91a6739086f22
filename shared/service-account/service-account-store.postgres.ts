import { sql } from 'kysely';
import { addLocator, type DatabasePool, locate, type OrgTransaction, type Rows } from '../db/index.ts';
import { organizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import { serviceAccountId } from './service-account-id.ts';
import type { RemovedGrants, ServiceAccountPage, ServiceAccountStore } from './service-account-store.ts';

const columns = [
  'org_id',
  'service_account_id',
  'name',
  'display_name',
  'owner_team_id',
  'status',
  'labels',
  'expires_at',
  'created_by',
  'reason',
  'managed_by',
  'created_at',
  'updated_at',
  'deleted_name',
  'deleted_at',
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
      const row = await select(tx).where('service_account_id', '=', id).executeTakeFirst();
      return row && toServiceAccount(row);
    },
    findByName: async (tx, name) => {
      const row = await select(tx).where('name', '=', name).executeTakeFirst();
      return row && toServiceAccount(row);
    },
    lock: async (tx, id) => {
      const row = await select(tx).where('service_account_id', '=', id).forUpdate().executeTakeFirst();
      return row && toServiceAccount(row);
    },
    update: async (tx, account) => {
      const { org_id: _org, service_account_id: id, created_at: _at, ...values } = toRow(account);
      await tx.updateTable('service_account').set(values).where('service_account_id', '=', id).execute();
    },
    list: async (tx, page) => (await toListQuery(tx, page).execute()).map(toServiceAccount),
    removeGrants,
    hasTeam: async (tx, id) => {
      // Held until commit, as the reference to it holds it: a team that is being removed is not there any more.
      const row = await tx
        .selectFrom('team')
        .select('team_id')
        .where('team_id', '=', id)
        .forKeyShare()
        .executeTakeFirst();
      return row !== undefined;
    },
    locate: async (id) => {
      const found = await locate(pool, id);
      return found === undefined ? undefined : organizationId.require(found);
    },
  };
}

function select(tx: OrgTransaction) {
  return tx.selectFrom('service_account').select(columns);
}

function toListQuery(tx: OrgTransaction, { limit, before, labels, state, ownerTeamId }: ServiceAccountPage) {
  let query = select(tx).orderBy('service_account_id', 'desc').limit(limit);
  if (before !== undefined) query = query.where('service_account_id', '<', before);
  if (ownerTeamId !== undefined) query = query.where('owner_team_id', '=', ownerTeamId);
  if (labels !== undefined) query = query.where(sql<boolean>`labels @> ${JSON.stringify(labels)}::jsonb`);
  if (state === undefined) return query.where('status', '<>', 'deleted');
  const { is, at } = state;
  if (is === 'expired') return query.where('status', '=', 'active').where('expires_at', '<=', at);
  const ofStatus = query.where('status', '=', is);
  if (is !== 'active') return ofStatus;
  return ofStatus.where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', at)]));
}

async function removeGrants(tx: OrgTransaction, id: string): Promise<RemovedGrants> {
  const bindings = await tx
    .deleteFrom('role_binding')
    .where('subject_type', '=', 'service_account')
    .where('subject_id', '=', id)
    .returning([
      'binding_id as id',
      'name',
      'role_name as role',
      'scope_type as scopeType',
      'scope_id as scopeId',
      'effect',
    ])
    .execute();
  const teams = await tx
    .deleteFrom('team_member')
    .using('team')
    .whereRef('team.team_id', '=', 'team_member.team_id')
    .where('team_member.member_type', '=', 'service_account')
    .where('team_member.member_id', '=', id)
    .returning(['team.team_id as id', 'team.name'])
    .execute();
  const groups = await tx
    .deleteFrom('group_member')
    .using('user_group')
    .whereRef('user_group.group_id', '=', 'group_member.group_id')
    .where('group_member.member_type', '=', 'service_account')
    .where('group_member.member_id', '=', id)
    .returning(['user_group.group_id as id', 'user_group.name'])
    .execute();
  return { bindings, teams, groups };
}

type Row = Rows.ServiceAccountRow & { readonly labels: Readonly<Record<string, string>> };

function toServiceAccount(row: Row): ServiceAccount {
  return {
    organizationId: organizationId.require(row.org_id),
    id: serviceAccountId.require(row.service_account_id),
    name: row.deleted_name ?? row.name,
    displayName: row.display_name,
    ownerTeamId: row.owner_team_id ?? undefined,
    status: row.status,
    labels: row.labels,
    expiresAt: row.expires_at ?? undefined,
    createdBy: row.created_by ?? undefined,
    reason: row.reason ?? undefined,
    managedBy: row.managed_by,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    deletedAt: row.deleted_at ?? undefined,
  };
}

function toRow(account: ServiceAccount): Rows.ServiceAccountRow & { labels: string } {
  const isDeleted = account.status === 'deleted';
  return {
    org_id: account.organizationId,
    service_account_id: account.id,
    // The name of a deleted account is free: its row goes by its id, which no account can be named.
    name: isDeleted ? account.id : account.name,
    deleted_name: isDeleted ? account.name : null,
    display_name: account.displayName,
    owner_team_id: account.ownerTeamId ?? null,
    status: account.status,
    labels: JSON.stringify(account.labels),
    expires_at: account.expiresAt ?? null,
    created_by: account.createdBy ?? null,
    reason: account.reason ?? null,
    managed_by: account.managedBy,
    created_at: account.createdAt,
    updated_at: account.updatedAt,
    deleted_at: account.deletedAt ?? null,
  };
}
