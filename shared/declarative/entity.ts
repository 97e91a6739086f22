import {
  type BindingCondition,
  type BuiltInRole,
  builtInRoles as policyRoles,
} from '../authorization/index.ts';
import type { Labels } from '../service-account/index.ts';

/** What Git may declare, in the form that is compared, planned and stored. Absent values are null, never missing. */
export type Entity =
  | { readonly kind: 'organization'; readonly name: string; readonly spec: OrganizationSpec }
  | { readonly kind: 'role'; readonly name: string; readonly spec: RoleSpec }
  | { readonly kind: 'user'; readonly name: string; readonly spec: UserSpec }
  | { readonly kind: 'team'; readonly name: string; readonly spec: TeamSpec }
  | { readonly kind: 'group'; readonly name: string; readonly spec: GroupSpec }
  | { readonly kind: 'service-account'; readonly name: string; readonly spec: ServiceAccountSpec }
  | { readonly kind: 'team-member'; readonly name: string; readonly spec: TeamMemberSpec }
  | { readonly kind: 'group-member'; readonly name: string; readonly spec: GroupMemberSpec }
  | { readonly kind: 'role-binding'; readonly name: string; readonly spec: RoleBindingSpec };

export type EntityKind = Entity['kind'];
export type EntityOf<Kind extends EntityKind> = Extract<Entity, { kind: Kind }>;

export type Guards = {
  /** The greatest share of the things managed by Git that one plan may remove. */
  readonly maxRemovalPercent: number;
  /** This many removals pass whatever their share is: a quarter of a small organization is nothing. */
  readonly removalsAlwaysAllowed: number;
  readonly minOwners: number;
};
export type OrganizationSpec = { readonly displayName: string; readonly guards: Guards };
export type RoleSpec = { readonly description: string; readonly permissions: readonly string[] };
export type UserSpec = { readonly email: string; readonly displayName: string };
export type TeamSpec = { readonly displayName: string; readonly parent: string | null };
/** Flat, and the owner of nothing: whoever needs either declares a team. */
export type GroupSpec = { readonly displayName: string };
export type ServiceAccountSpec = {
  readonly displayName: string;
  readonly ownerTeam: string | null;
  readonly labels: Labels;
  /** UTC, as `Date.prototype.toISOString` writes it. */
  readonly expiresAt: string | null;
};
export type PrincipalReference = `user/${string}` | `service-account/${string}`;
export type SubjectReference = PrincipalReference | `team/${string}` | `group/${string}`;
/** Named `<team>/<member>`, for example `core/user/ada`. */
export type TeamMemberSpec = { readonly team: string; readonly member: PrincipalReference };
/** Named `<group>/<member>`. */
export type GroupMemberSpec = { readonly group: string; readonly member: PrincipalReference };
export type RoleBindingSpec = {
  /** A built-in role (`OrgOwner`) or the name of a declared one. */
  readonly role: string;
  readonly subject: SubjectReference;
  readonly scope: { readonly team: string } | null;
  readonly effect: 'allow' | 'deny';
  /** UTC, as `Date.prototype.toISOString` writes it. */
  readonly expiresAt: string | null;
  /** All must hold. */
  readonly conditions: readonly BindingCondition[];
};

/** Who owns a thing. Git never deletes what the API made, unless what it refers to is gone. */
export type ManagedBy = 'git' | 'api';
export type ManagedEntity = Entity & { readonly managedBy: ManagedBy };

/** Keyed by names only; ids are the store's business. Without an `organization` entity it does not exist yet. */
export type OrganizationState = { readonly slug: string; readonly entities: readonly ManagedEntity[] };

/** Unique per organization: `user/ada`, `team-member/core/user/ada`. */
export function toEntityKey(entity: Pick<Entity, 'kind' | 'name'>): string {
  return `${entity.kind}/${entity.name}`;
}

/**
 * The things an entity cannot exist without (`required`) and those it merely points at (`optional`), as entity
 * keys. Built-in roles are not entities and therefore never appear.
 */
export function listReferences(entity: Entity): { required: string[]; optional: string[] } {
  switch (entity.kind) {
    case 'team':
      return { required: [], optional: toTeamKeys(entity.spec.parent) };
    case 'service-account':
      return { required: [], optional: toTeamKeys(entity.spec.ownerTeam) };
    case 'team-member':
    case 'group-member':
      return { required: [toMemberOf(entity), entity.spec.member], optional: [] };
    case 'role-binding': {
      const { role, subject, scope } = entity.spec;
      const roles = isBuiltInRole(role) ? [] : [`role/${role}`];
      return { required: [...roles, subject, ...toTeamKeys(scope?.team ?? null)], optional: [] };
    }
    default:
      return { required: [], optional: [] };
  }
}

/** The key of what a member is a member of: `team/core`. */
export function toMemberOf(entity: EntityOf<'team-member' | 'group-member'>): string {
  return entity.kind === 'team-member' ? `team/${entity.spec.team}` : `group/${entity.spec.group}`;
}

function toTeamKeys(team: string | null): string[] {
  return team === null ? [] : [`team/${team}`];
}

/** Belongs to the platform's own operators; no organization can hand it out. */
export const platformRole: BuiltInRole = 'PlatformOperator';

/** The roles that an organization can give without declaring them. */
export const builtInRoles = policyRoles.filter((role) => role !== platformRole);

const builtInRoleNames = new Set<string>(builtInRoles);

export function isBuiltInRole(role: string): boolean {
  return builtInRoleNames.has(role);
}
