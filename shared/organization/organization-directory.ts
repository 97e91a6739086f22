import type { OrgTransaction } from '../db/index.ts';

/** Where a record comes from and when it last changed. */
type Declared = { readonly managedBy: 'git' | 'api'; readonly updatedAt: Date };

export type Member = Declared & {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly email: string;
  readonly status: 'active' | 'disabled';
};

export type Team = Declared & {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  readonly parentTeamId: string | undefined;
  readonly members: readonly DirectoryMember[];
};

export type DirectoryMember = { readonly type: 'user' | 'service_account'; readonly id: string };

/** Flat: it lies in no tree and owns nothing. */
export type Group = Declared & {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
};

export type GroupWithMembers = Group & { readonly members: readonly DirectoryMember[] };

export type Role = Declared & {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly permissions: readonly string[];
};

export type RoleBinding = Declared & {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly subject: { readonly type: 'user' | 'team' | 'group' | 'service_account'; readonly id: string };
  readonly scope: { readonly type: 'organization' | 'team' | 'resource'; readonly id: string };
  readonly effect: 'allow' | 'deny';
  readonly expiresAt: Date | undefined;
  /** All must hold; in the words of the policy's input. */
  readonly conditions: readonly object[];
};

export type DirectoryPage = { readonly limit: number; readonly before?: string };

/**
 * The people, teams, groups, roles and bindings of the transaction's organization, for showing what was declared. Reads only;
 * decisions gather their own facts. Every list: newest first by id, at most `limit`, ids below `before` when given.
 */
export type OrganizationDirectory = {
  listMembers(tx: OrgTransaction, page: DirectoryPage): Promise<Member[]>;
  listTeams(tx: OrgTransaction, page: DirectoryPage): Promise<Team[]>;
  /** Without their members, of whom a provider may give a group any number. */
  listGroups(tx: OrgTransaction, page: DirectoryPage): Promise<Group[]>;
  findGroup(tx: OrgTransaction, id: string): Promise<GroupWithMembers | undefined>;
  listRoles(tx: OrgTransaction, page: DirectoryPage): Promise<Role[]>;
  listRoleBindings(tx: OrgTransaction, page: DirectoryPage): Promise<RoleBinding[]>;
};
