import { type TypeId, typeId } from '../kernel/index.ts';

export const organizationId = typeId('org');
export type OrganizationId = TypeId<'org'>;

/** The platform itself, as an organization: owner of operators, of signing keys and of events that no tenant owns. */
export const platformOrganizationId = organizationId.require('org_00000000000000000000000000');
