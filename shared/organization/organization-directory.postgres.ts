import type { OrgTransaction, Rows } from '../db/index.ts';
import type {
  DirectoryMember,
  DirectoryPage,
  Group,
  OrganizationDirectory,
  RoleBinding,
  Team,
} from './organization-directory.ts';

export const postgresOrganizationDirectory: OrganizationDirectory = {
  listMembers: async (tx, { limit, before }) => {
    let query = tx
      .selectFrom('membership')
      .select(['user_id', 'name', 'display_name', 'email', 'status', 'managed_by', 'updated_at'])
      .orderBy('user_id', 'desc')
      .limit(limit);
    if (before !== undefined) query = query.where('user_id', '<', before);
    return (await query.execute()).map(({ user_id, name, display_name, email, status, ...row }) => ({
      id: user_id,
      name,
      displayName: display_name,
      email,
      status,
      ...declared(row),
    }));
  },
  listTeams,
  listGroups: async (tx, { limit, before }) => {
    let query = selectGroups(tx).orderBy('group_id', 'desc').limit(limit);
    if (before !== undefined) query = query.where('group_id', '<', before);
    return (await query.execute()).map(toGroup);
  },
  findGroup: async (tx, id) => {
    const row = await selectGroups(tx).where('group_id', '=', id).executeTakeFirst();
    if (row === undefined) return undefined;
    const members = await tx
      .selectFrom('group_member')
      .select(['member_type', 'member_id'])
      .where('group_id', '=', id)
      .orderBy('member_id')
      .execute();
    return { ...toGroup(row), members: members.map(toMember) };
  },
  listRoles: async (tx, { limit, before }) => {
    let query = tx
      .selectFrom('role')
      .select(['role_id', 'name', 'description', 'permissions', 'managed_by', 'updated_at'])
      .orderBy('role_id', 'desc')
      .limit(limit);
    if (before !== undefined) query = query.where('role_id', '<', before);
    return (await query.execute()).map(({ role_id, name, description, permissions, ...row }) => ({
      id: role_id,
      name,
      description,
      permissions,
      ...declared(row),
    }));
  },
  listRoleBindings: async (tx, { limit, before }) => {
    let query = tx.selectFrom('role_binding').selectAll().orderBy('binding_id', 'desc').limit(limit);
    if (before !== undefined) query = query.where('binding_id', '<', before);
    return (await query.execute()).map(toRoleBinding);
  },
};

async function listTeams(tx: OrgTransaction, { limit, before }: DirectoryPage): Promise<Team[]> {
  let query = tx
    .selectFrom('team')
    .select(['team_id', 'name', 'display_name', 'parent_team_id', 'managed_by', 'updated_at'])
    .orderBy('team_id', 'desc')
    .limit(limit);
  if (before !== undefined) query = query.where('team_id', '<', before);
  const teams = await query.execute();
  if (teams.length === 0) return [];
  const members = await tx
    .selectFrom('team_member')
    .select(['team_id', 'member_type', 'member_id'])
    .where(
      'team_id',
      'in',
      teams.map((team) => team.team_id),
    )
    .orderBy('member_id')
    .execute();
  return teams.map((team) => ({
    id: team.team_id,
    name: team.name,
    displayName: team.display_name,
    parentTeamId: team.parent_team_id ?? undefined,
    members: members.filter((member) => member.team_id === team.team_id).map(toMember),
    ...declared(team),
  }));
}

function selectGroups(tx: OrgTransaction) {
  return tx.selectFrom('user_group').select(['group_id', 'name', 'display_name', 'managed_by', 'updated_at']);
}

function toGroup(row: Omit<Rows.UserGroupRow, 'org_id' | 'created_at'>): Group {
  return { id: row.group_id, name: row.name, displayName: row.display_name, ...declared(row) };
}

function toMember(row: Pick<Rows.TeamMemberRow, 'member_type' | 'member_id'>): DirectoryMember {
  return { type: row.member_type, id: row.member_id };
}

function toRoleBinding(row: Rows.RoleBindingRow & { conditions: readonly object[] }): RoleBinding {
  return {
    id: row.binding_id,
    name: row.name,
    role: row.role_name,
    subject: { type: row.subject_type, id: row.subject_id },
    scope: { type: row.scope_type, id: row.scope_id },
    effect: row.effect,
    expiresAt: row.expires_at ?? undefined,
    conditions: row.conditions,
    ...declared(row),
  };
}

function declared(row: Pick<Rows.RoleRow, 'managed_by' | 'updated_at'>) {
  return { managedBy: row.managed_by, updatedAt: row.updated_at };
}
