import { z } from 'zod';
import { typeId } from '../../shared/kernel/index.ts';
import { instantField, managedByField } from './field.schema.ts';

/** Kinds of what is declared for an organization. */
export const directoryIds = {
  member: typeId('usr'),
  team: typeId('team'),
  group: typeId('group'),
  role: typeId('role'),
  binding: typeId('bind'),
};

/** Views are the directory's own entries: JSON writes a Date in the form of `instantField`. */
const declared = {
  id: z.string(),
  name: z.string(),
  managedBy: managedByField.exclude(['platform']),
  updatedAt: instantField,
};
const members = z.array(z.strictObject({ type: z.enum(['user', 'service_account']), id: z.string() }));
const effect = z.enum(['allow', 'deny']);

export const memberView = z.strictObject({
  ...declared,
  displayName: z.string(),
  email: z.string(),
  status: z.enum(['active', 'disabled']),
});

export const teamView = z.strictObject({
  ...declared,
  displayName: z.string(),
  parentTeamId: z.string().optional(),
  members,
});

export const groupView = z.strictObject({ ...declared, displayName: z.string() });

export const groupWithMembersView = groupView.extend({ members });

export const roleView = z.strictObject({
  ...declared,
  description: z.string(),
  permissions: z.array(z.string()),
});

export const roleBindingView = z.strictObject({
  ...declared,
  role: z.string(),
  subject: z.strictObject({ type: z.enum(['user', 'team', 'group', 'service_account']), id: z.string() }),
  scope: z.strictObject({ type: z.enum(['organization', 'team', 'resource']), id: z.string() }),
  effect,
  expiresAt: instantField.optional(),
  conditions: z.array(z.record(z.string(), z.unknown())).describe('All must hold'),
});
