import { isPlatformResourceType } from '../authorization/index.ts';
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

/** Types of the platform's own: shared/authorization says which, and heeds no registration of one. */
export function isReservedResourceType(name: string): boolean {
  return isPlatformResourceType(name);
}
