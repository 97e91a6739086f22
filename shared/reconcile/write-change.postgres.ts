import { sql } from 'kysely';
import { addLocator, type OrgTransaction } from '../db/index.ts';
import { type EntityOf, type ManagedBy, toMemberOf } from '../declarative/index.ts';
import { invariant } from '../kernel/index.ts';
import { requireId, requireOwnId, toPrincipalType, toScope, toSubject } from './directory-id.ts';
import type { DirectoryWrite } from './directory-store.ts';

type Operation = DirectoryWrite['change']['operation'];
type Context = Omit<DirectoryWrite, 'change'> & {
  readonly tx: OrgTransaction;
  readonly operation: Operation;
};
type Managed<Kind extends Parameters<typeof requireOwnId>[1]['kind']> = EntityOf<Kind> & {
  readonly managedBy: ManagedBy;
};

/** Every column is written on update too: what a row holds afterwards is what the plan showed, whatever it held. */
export async function writeChange(tx: OrgTransaction, input: DirectoryWrite): Promise<void> {
  const { entity, operation } = input.change;
  const context = { ...input, tx, operation };
  const rows = await writeEntity(context, entity);
  invariant(rows === 1, `${operation} ${entity.kind} "${entity.name}" met ${rows} rows`);
}

function writeEntity(context: Context, entity: DirectoryWrite['change']['entity']): Promise<number> {
  switch (entity.kind) {
    case 'organization':
      return writeOrganization(context, entity);
    case 'role':
      return writeRole(context, entity);
    case 'user':
      return writeMembership(context, entity);
    case 'team':
      return writeTeam(context, entity);
    case 'service-account':
      return writeServiceAccount(context, entity);
    case 'group':
      return writeGroup(context, entity);
    case 'team-member':
    case 'group-member':
      return writeMember(context, entity);
    case 'role-binding':
      return writeRoleBinding(context, entity);
  }
}

async function writeOrganization(context: Context, entity: Managed<'organization'>): Promise<number> {
  const { tx, organizationId: org_id, at, operation } = context;
  invariant(operation !== 'delete', 'reconciliation removes no organization');
  const values = {
    display_name: entity.spec.displayName,
    guards: JSON.stringify(entity.spec.guards),
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation === 'create') {
    const row = { ...values, org_id, name: entity.name, status: 'active' as const, created_at: at };
    return inserted(await tx.insertInto('organization').values(row).executeTakeFirst());
  }
  return updated(
    await tx.updateTable('organization').set(values).where('org_id', '=', org_id).executeTakeFirst(),
  );
}

async function writeRole(context: Context, entity: Managed<'role'>): Promise<number> {
  const { tx, organizationId: org_id, at, operation, ids } = context;
  const role_id = requireOwnId(ids, entity);
  if (operation === 'delete')
    return deleted(await tx.deleteFrom('role').where('role_id', '=', role_id).executeTakeFirst());
  const values = {
    name: entity.name,
    description: entity.spec.description,
    permissions: [...entity.spec.permissions],
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation === 'update')
    return updated(
      await tx.updateTable('role').set(values).where('role_id', '=', role_id).executeTakeFirst(),
    );
  const row = { ...values, org_id, role_id, created_at: at };
  return inserted(await tx.insertInto('role').values(row).executeTakeFirst());
}

async function writeMembership(context: Context, entity: Managed<'user'>): Promise<number> {
  const { tx, organizationId: org_id, at, operation, ids } = context;
  const user_id = requireOwnId(ids, entity);
  if (operation === 'delete')
    return deleted(await tx.deleteFrom('membership').where('user_id', '=', user_id).executeTakeFirst());
  const values = {
    name: entity.name,
    email: entity.spec.email,
    display_name: entity.spec.displayName,
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation === 'update')
    return updated(
      await tx.updateTable('membership').set(values).where('user_id', '=', user_id).executeTakeFirst(),
    );
  const row = { ...values, org_id, user_id, status: 'active' as const, created_at: at };
  return inserted(await tx.insertInto('membership').values(row).executeTakeFirst());
}

async function writeTeam(context: Context, entity: Managed<'team'>): Promise<number> {
  const { tx, organizationId: org_id, at, operation, ids } = context;
  const team_id = requireOwnId(ids, entity);
  if (operation === 'delete')
    return deleted(await tx.deleteFrom('team').where('team_id', '=', team_id).executeTakeFirst());
  const { parent, displayName } = entity.spec;
  const values = {
    name: entity.name,
    display_name: displayName,
    parent_team_id: parent === null ? null : requireId(ids, `team/${parent}`),
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation === 'update')
    return updated(
      await tx.updateTable('team').set(values).where('team_id', '=', team_id).executeTakeFirst(),
    );
  const row = { ...values, org_id, team_id, created_at: at };
  return inserted(await tx.insertInto('team').values(row).executeTakeFirst());
}

async function writeGroup(context: Context, entity: Managed<'group'>): Promise<number> {
  const { tx, organizationId: org_id, at, operation, ids } = context;
  const group_id = requireOwnId(ids, entity);
  if (operation === 'delete')
    return deleted(await tx.deleteFrom('user_group').where('group_id', '=', group_id).executeTakeFirst());
  const values = {
    name: entity.name,
    display_name: entity.spec.displayName,
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation === 'update')
    return updated(
      await tx.updateTable('user_group').set(values).where('group_id', '=', group_id).executeTakeFirst(),
    );
  const row = { ...values, org_id, group_id, created_at: at };
  return inserted(await tx.insertInto('user_group').values(row).executeTakeFirst());
}

async function writeServiceAccount(context: Context, entity: Managed<'service-account'>): Promise<number> {
  const { tx, organizationId: org_id, at, by, operation, ids } = context;
  const service_account_id = requireOwnId(ids, entity);
  const { ownerTeam, displayName, labels, expiresAt } = entity.spec;
  const values = {
    name: entity.name,
    display_name: displayName,
    owner_team_id: ownerTeam === null ? null : requireId(ids, `team/${ownerTeam}`),
    labels: JSON.stringify(labels),
    expires_at: expiresAt === null ? null : new Date(expiresAt),
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation !== 'create')
    return updated(
      await tx
        .updateTable('service_account')
        .set(operation === 'delete' ? toDeletion(entity.name, service_account_id, at) : values)
        .where('service_account_id', '=', service_account_id)
        .executeTakeFirst(),
    );
  const row = {
    ...values,
    org_id,
    service_account_id,
    status: 'active' as const,
    created_at: at,
    created_by: by,
  };
  const rows = inserted(await tx.insertInto('service_account').values(row).executeTakeFirst());
  await addLocator(tx, service_account_id, org_id);
  return rows;
}

/** The row stays, as shared/service-account has it: its id is never given again, its name is free, and no one manages it. */
function toDeletion(deleted_name: string, id: string, at: Date) {
  return {
    status: 'deleted' as const,
    name: id,
    deleted_name,
    deleted_at: at,
    owner_team_id: null,
    managed_by: 'api' as const,
    updated_at: at,
  };
}

async function writeMember(
  context: Context,
  entity: Managed<'team-member' | 'group-member'>,
): Promise<number> {
  const { tx, organizationId, at, operation, ids } = context;
  const [table, of] =
    entity.kind === 'team-member' ? ['team_member', 'team_id'] : ['group_member', 'group_id'];
  const { member } = entity.spec;
  const [ofId, memberId] = [requireId(ids, toMemberOf(entity)), requireId(ids, member)];
  const row = sql`${sql.ref(of)} = ${ofId} and member_type = ${toPrincipalType(member)} and member_id = ${memberId}`;
  const statements = {
    create: sql`insert into ${sql.table(table)} (org_id, ${sql.ref(of)}, member_type, member_id, managed_by, created_at)
      values (${organizationId}, ${ofId}, ${toPrincipalType(member)}, ${memberId}, ${entity.managedBy}, ${at})`,
    update: sql`update ${sql.table(table)} set managed_by = ${entity.managedBy} where ${row}`,
    delete: sql`delete from ${sql.table(table)} where ${row}`,
  };
  const { numAffectedRows = 0n } = await statements[operation].execute(tx);
  return Number(numAffectedRows);
}

async function writeRoleBinding(context: Context, entity: Managed<'role-binding'>): Promise<number> {
  const { tx, organizationId: org_id, at, operation, ids } = context;
  const binding_id = requireOwnId(ids, entity);
  if (operation === 'delete')
    return deleted(
      await tx.deleteFrom('role_binding').where('binding_id', '=', binding_id).executeTakeFirst(),
    );
  const { role, subject, scope, effect, expiresAt, conditions } = entity.spec;
  const toWhom = toSubject(ids, subject);
  const where = toScope(ids, org_id, scope);
  const values = {
    name: entity.name,
    role_name: role,
    subject_type: toWhom.type,
    subject_id: toWhom.id,
    scope_type: where.type,
    scope_id: where.id,
    effect,
    expires_at: expiresAt === null ? null : new Date(expiresAt),
    conditions: JSON.stringify(conditions),
    managed_by: entity.managedBy,
    updated_at: at,
  };
  if (operation === 'update')
    return updated(
      await tx
        .updateTable('role_binding')
        .set(values)
        .where('binding_id', '=', binding_id)
        .executeTakeFirst(),
    );
  const row = { ...values, org_id, binding_id, created_at: at };
  return inserted(await tx.insertInto('role_binding').values(row).executeTakeFirst());
}

const inserted = (result: { numInsertedOrUpdatedRows?: bigint | undefined }) =>
  Number(result.numInsertedOrUpdatedRows ?? 0n);
const updated = (result: { numUpdatedRows: bigint }) => Number(result.numUpdatedRows);
const deleted = (result: { numDeletedRows: bigint }) => Number(result.numDeletedRows);
