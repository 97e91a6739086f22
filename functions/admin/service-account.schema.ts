import { z } from 'zod';
import type { ServiceAccount } from '../../shared/service-account/index.ts';
import { instantField, managedByField, serviceAccountIdField } from './field.schema.ts';

export const serviceAccountView = z.strictObject({
  id: serviceAccountIdField,
  name: z.string(),
  displayName: z.string(),
  ownerTeamId: z.string().optional(),
  status: z.enum(['active', 'disabled']),
  managedBy: managedByField,
  createdAt: instantField,
  updatedAt: instantField,
});

export function toServiceAccountView(account: ServiceAccount): z.input<typeof serviceAccountView> {
  const { id, name, displayName, ownerTeamId, status, managedBy, createdAt, updatedAt } = account;
  const owner = ownerTeamId === undefined ? {} : { ownerTeamId };
  const stamps = { createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
  return { id, name, displayName, ...owner, status, managedBy, ...stamps };
}
