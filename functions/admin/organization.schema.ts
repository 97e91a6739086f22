import { z } from 'zod';
import { type Organization, organizationId } from '../../shared/organization/index.ts';
import { idField, instantField, managedByField } from './field.schema.ts';

export const organizationView = z.strictObject({
  id: idField(organizationId, 'Id of an organization'),
  name: z.string(),
  displayName: z.string(),
  status: z.enum(['active', 'suspended']),
  managedBy: managedByField,
  createdAt: instantField,
  updatedAt: instantField,
});

export function toOrganizationView(organization: Organization): z.input<typeof organizationView> {
  const { id, name, displayName, status, managedBy, createdAt, updatedAt } = organization;
  const stamps = { createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
  return { id, name, displayName, status, managedBy, ...stamps };
}
