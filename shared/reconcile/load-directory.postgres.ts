import { bindingConditionsSchema } from '../authorization/index.ts';
import type { OrgTransaction, Rows } from '../db/index.ts';
import { type ManagedBy, type ManagedEntity, toEntityKey } from '../declarative/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import { toResourceScopeName } from './directory-id.ts';
import type { Directory } from './directory-store.ts';

type Loaded = { readonly entity: ManagedEntity; readonly id: string | undefined };
/** Entity keys by id: what rows refer to by id, declarations refer to by name. */
type Keys = Map<string, string>;

export async function loadDirectory(
  tx: OrgTransaction,
  { organizationId, name }: { organizationId: OrganizationId; name: string },
): Promise<Directory> {
  const things = [
    ...(await loadOrganization(tx, organizationId)),
    ...(await loadRoles(tx)),
    ...(await loadUsers(tx)),
  ];
  const sets = [...(await loadTeams(tx)), ...(await loadGroups(tx))];
  const keys: Keys = new Map();
  for (const { entity, id } of [...things, ...sets]) if (id !== undefined) keys.set(id, toEntityKey(entity));
  const accounts = await loadServiceAccounts(tx, keys);
  for (const { entity, id } of accounts) if (id !== undefined) keys.set(id, toEntityKey(entity));
  const grants = [
    ...(await loadTeamMembers(tx, keys)),
    ...(await loadGroupMembers(tx, keys)),
    ...(await loadRoleBindings(tx, keys)),
  ];
  const loaded = [...things, ...sets, ...accounts, ...grants];
  const ids = new Map<string, string>();
  for (const [id, key] of keys) ids.set(key, id);
  for (const { entity, id } of loaded) if (id !== undefined) ids.set(toEntityKey(entity), id);
  return { state: { slug: name, entities: loaded.map(({ entity }) => entity) }, ids };
}

async function loadOrganization(tx: OrgTransaction, organizationId: OrganizationId): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('organization')
    .select(['name', 'display_name', 'guards', 'managed_by'])
    .where('org_id', '=', organizationId)
    .execute();
  return rows.map((row) => ({
    id: organizationId,
    entity: {
      kind: 'organization',
      name: row.name,
      spec: { displayName: row.display_name, guards: row.guards },
      managedBy: toManagedBy(row.managed_by),
    },
  }));
}

async function loadRoles(tx: OrgTransaction): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('role')
    .select(['role_id', 'name', 'description', 'permissions', 'managed_by'])
    .execute();
  return rows.map(({ role_id, name, description, permissions, managed_by }) => ({
    id: role_id,
    entity: {
      kind: 'role',
      name,
      // The order of a canonical declaration; what the API wrote may have another.
      spec: { description, permissions: permissions.toSorted() },
      managedBy: managed_by,
    },
  }));
}

async function loadUsers(tx: OrgTransaction): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('membership')
    .select(['user_id', 'name', 'email', 'display_name', 'managed_by'])
    .execute();
  return rows.map(({ user_id, name, email, display_name, managed_by }) => ({
    id: user_id,
    entity: { kind: 'user', name, spec: { email, displayName: display_name }, managedBy: managed_by },
  }));
}

async function loadTeams(tx: OrgTransaction): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('team')
    .select(['team_id', 'name', 'display_name', 'parent_team_id', 'managed_by'])
    .execute();
  const names = new Map(rows.map(({ team_id, name }) => [team_id, name]));
  return rows.map(({ team_id, name, display_name, parent_team_id, managed_by }) => ({
    id: team_id,
    entity: {
      kind: 'team',
      name,
      spec: { displayName: display_name, parent: names.get(parent_team_id ?? '') ?? null },
      managedBy: managed_by,
    },
  }));
}

async function loadGroups(tx: OrgTransaction): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('user_group')
    .select(['group_id', 'name', 'display_name', 'managed_by'])
    .execute();
  return rows.map(({ group_id, name, display_name, managed_by }) => ({
    id: group_id,
    entity: { kind: 'group', name, spec: { displayName: display_name }, managedBy: managed_by },
  }));
}

async function loadServiceAccounts(tx: OrgTransaction, keys: Keys): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('service_account')
    .select([
      'service_account_id',
      'name',
      'display_name',
      'owner_team_id',
      'labels',
      'expires_at',
      'managed_by',
    ])
    .where('status', '<>', 'deleted')
    .execute();
  return rows.map((row) => ({
    id: row.service_account_id,
    entity: {
      kind: 'service-account',
      name: row.name,
      spec: {
        displayName: row.display_name,
        ownerTeam: row.owner_team_id === null ? null : nameOf(keys, 'team', row.owner_team_id),
        labels: row.labels,
        expiresAt: row.expires_at?.toISOString() ?? null,
      },
      managedBy: toManagedBy(row.managed_by),
    },
  }));
}

async function loadTeamMembers(tx: OrgTransaction, keys: Keys): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('team_member')
    .select(['team_id', 'member_type', 'member_id', 'managed_by'])
    .execute();
  return rows.map((row) => {
    const team = nameOf(keys, 'team', row.team_id);
    const member = toMember(keys, row);
    const name = `${team}/${member}`;
    return {
      id: undefined,
      entity: { kind: 'team-member', name, spec: { team, member }, managedBy: row.managed_by },
    };
  });
}

async function loadGroupMembers(tx: OrgTransaction, keys: Keys): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('group_member')
    .select(['group_id', 'member_type', 'member_id', 'managed_by'])
    .execute();
  return rows.map((row) => {
    const group = nameOf(keys, 'group', row.group_id);
    const member = toMember(keys, row);
    const name = `${group}/${member}`;
    return {
      id: undefined,
      entity: { kind: 'group-member', name, spec: { group, member }, managedBy: row.managed_by },
    };
  });
}

const subjectKinds = {
  user: 'user',
  team: 'team',
  group: 'group',
  service_account: 'service-account',
} as const;

function toMember(
  keys: Keys,
  { member_type, member_id }: Pick<Rows.TeamMemberRow, 'member_type' | 'member_id'>,
) {
  const kind = subjectKinds[member_type];
  return `${kind}/${nameOf(keys, kind, member_id)}` as const;
}

async function loadRoleBindings(tx: OrgTransaction, keys: Keys): Promise<Loaded[]> {
  const rows = await tx
    .selectFrom('role_binding')
    .select([
      'binding_id',
      'name',
      'role_name',
      'subject_type',
      'subject_id',
      'scope_type',
      'scope_id',
      'effect',
      'expires_at',
      'conditions',
      'managed_by',
    ])
    .execute();
  return rows.map((row) => {
    const kind = subjectKinds[row.subject_type];
    return {
      id: row.binding_id,
      entity: {
        kind: 'role-binding',
        name: row.name,
        spec: {
          role: row.role_name,
          subject: `${kind}/${nameOf(keys, kind, row.subject_id)}`,
          scope: toScope(keys, row.scope_type, row.scope_id),
          effect: row.effect,
          expiresAt: row.expires_at?.toISOString() ?? null,
          conditions: bindingConditionsSchema.parse(row.conditions),
        },
        managedBy: row.managed_by,
      },
    };
  });
}

function toScope(
  keys: Keys,
  type: 'organization' | 'team' | 'resource',
  id: string,
): { team: string } | null {
  if (type === 'organization') return null;
  return { team: type === 'team' ? nameOf(keys, 'team', id) : toResourceScopeName(id) };
}

/** An id that leads nowhere stands for itself: it holds an underscore, so no declared name is ever equal to it. */
function nameOf(keys: Keys, kind: string, id: string): string {
  const known = keys.get(id);
  if (known !== undefined) return known.slice(kind.length + 1);
  keys.set(id, `${kind}/${id}`);
  return id;
}

function toManagedBy(managedBy: ManagedBy | 'platform'): ManagedBy {
  return managedBy === 'git' ? 'git' : 'api';
}
