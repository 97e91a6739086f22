/**
 * An organization is the tenant: every id, row, key, decision and log belongs to exactly one.
 *
 * Invariants: a name is taken once in the deployment; a tenant sees itself and no other; only the platform's own scope
 * sees all; state and audit event share one transaction.
 *
 * @example
 * const created = await createOrganization(deps, { name: 'acme', displayName: 'Acme', actor });
 * const acme = await findOrganization(deps, { seenFrom: caller.organizationId, reference: 'acme' });
 */
export { type CreateOrganizationInput, createOrganization } from './create-organization.ts';
export { findOrganization } from './find-organization.ts';
export { listOrganizations } from './list-organizations.ts';
export type { Organization } from './organization.ts';
export type { OrganizationDeps } from './organization-deps.ts';
export type {
  DirectoryMember,
  DirectoryPage,
  Group,
  GroupWithMembers,
  Member,
  OrganizationDirectory,
  Role,
  RoleBinding,
  Team,
} from './organization-directory.ts';
export type { OrganizationFailure } from './organization-failure.ts';
export { type OrganizationId, organizationId, platformOrganizationId } from './organization-id.ts';
export type { OrganizationStore } from './organization-store.ts';
