/** An organization is the tenant: every id, row, key, decision and log belongs to exactly one. */
export { type OrganizationId, organizationId, platformOrganizationId } from './organization-id.ts';
