import { z } from 'zod';
import { type ApiKey, fingerprintOf } from '../../shared/api-key/index.ts';
import { apiKeyIdField, instantField, serviceAccountIdField, userIdField } from './field.schema.ts';

/** A key as it may be shown at any time: by its fingerprint. */
export const apiKeyView = z.strictObject({
  id: apiKeyIdField,
  fingerprint: z.string().describe('Id and last four characters'),
  serviceAccountId: serviceAccountIdField.optional().describe('The owner, unless the key is personal'),
  userId: userIdField.optional().describe('The owner of a personal key'),
  description: z.string(),
  status: z.enum(['active', 'disabled', 'revoked']),
  createdAt: instantField,
  createdBy: z.string(),
  expiresAt: instantField.optional(),
  revokedAt: instantField.optional(),
  revokedBy: z.string().optional(),
});

export function toApiKeyView(key: ApiKey): z.input<typeof apiKeyView> {
  return {
    id: key.id,
    fingerprint: fingerprintOf(key.id, key.lastFour),
    ...(key.owner.type === 'user' ? { userId: key.owner.id } : { serviceAccountId: key.owner.id }),
    description: key.description,
    status: key.status,
    createdAt: key.createdAt.toISOString(),
    createdBy: key.createdBy,
    ...(key.expiresAt && { expiresAt: key.expiresAt.toISOString() }),
    ...(key.revokedAt && { revokedAt: key.revokedAt.toISOString() }),
    ...(key.revokedBy && { revokedBy: key.revokedBy }),
  };
}
