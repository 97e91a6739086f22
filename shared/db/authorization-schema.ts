import type { ColumnType, JSONColumnType } from 'kysely';
import type { ManagedBy, Stamped } from './row-parts.ts';

// Rows that decisions rest on: who is in an organization, who holds what, and what it is about.

export type MembershipRow = Stamped & {
  org_id: string;
  user_id: string;
  name: string;
  email: string;
  display_name: string;
  status: 'active' | 'disabled';
  managed_by: ManagedBy;
};

export type TeamRow = Stamped & {
  org_id: string;
  team_id: string;
  name: string;
  display_name: string;
  parent_team_id: string | null;
  managed_by: ManagedBy;
};

export type UserGroupRow = Stamped & {
  org_id: string;
  group_id: string;
  name: string;
  display_name: string;
  managed_by: ManagedBy;
};

type MemberRow = {
  org_id: string;
  member_type: 'user' | 'service_account';
  member_id: string;
  managed_by: ManagedBy;
  created_at: Date;
};

export type TeamMemberRow = MemberRow & { team_id: string };
export type GroupMemberRow = MemberRow & { group_id: string };

export type RoleRow = Stamped & {
  org_id: string;
  role_id: string;
  name: string;
  description: string;
  permissions: string[];
  managed_by: ManagedBy;
};

export type RoleBindingRow = Stamped & {
  org_id: string;
  binding_id: string;
  name: string;
  role_name: string;
  subject_type: 'user' | 'team' | 'group' | 'service_account';
  subject_id: string;
  scope_type: 'organization' | 'team' | 'resource';
  scope_id: string;
  effect: 'allow' | 'deny';
  expires_at: Date | null;
  managed_by: ManagedBy;
};

/** Conditions of a binding: JSON, in the form that `bindingConditionsSchema` of shared/authorization gives. */
export type RoleBindingConditionsColumn = {
  conditions: ColumnType<readonly object[], string | undefined, string>;
};

export type ResourceTypeRow = Stamped & {
  org_id: string;
  name: string;
  description: string;
  actions: string[];
  managed_by: ManagedBy;
};

export type ResourceRow = Stamped & {
  org_id: string;
  resource_type: string;
  resource_id: string;
  team_id: string | null;
  owner: string | null;
  attributes: JSONColumnType<Readonly<Record<string, unknown>>>;
  managed_by: ManagedBy;
};

/** Written by triggers alone (migrations/0009). */
export type AuthorizationRevisionRow = {
  org_id: string;
  revision: number;
  subjects_revision: number;
  resources_revision: number;
  teams_revision: number;
  changed_in: string;
};
