import type { OrganizationId } from '../organization/index.ts';

/** A kind of thing that an organization's own services keep and ask decisions about. */
export type ResourceType = {
  readonly organizationId: OrganizationId;
  /** Unique in its organization; the first segment of a permission. */
  readonly name: string;
  readonly description: string;
  /** What can be done with such a resource: the second segments. An action search tries these. */
  readonly actions: readonly string[];
  readonly managedBy: 'git' | 'api';
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** Segments of a permission, see `permissionPatternSchema` of shared/authorization. */
export const resourceTypeNamePattern = /^[a-z][a-z0-9_.-]{0,62}$/;

/** The subject facts of a decision name every type of the organization. */
export const resourceTypesMax = 100;

/**
 * Types of the platform's own. Threat: whoever could register one of them could say of another's key or account to
 * which team it belongs.
 */
const reserved: ReadonlySet<string> = new Set([
  'api_key',
  'audit',
  'authorization',
  'binding',
  'budget',
  'decision',
  'git_source',
  'invoice',
  'membership',
  'organization',
  'resource',
  'resource_type',
  'role',
  'service_account',
  'session',
  'signing_key',
  'team',
  'usage',
  'user',
]);

export function isReservedResourceType(name: string): boolean {
  return reserved.has(name);
}
