import { z } from 'zod';
import { revokedAtOnceMax } from '../../shared/api-key/index.ts';
import { reasonField } from './api-key.schema.ts';
import { instantField, labelsField, serviceAccountIdField, userIdField } from './field.schema.ts';

export const revokeApiKeysBody = {
  serviceAccountId: serviceAccountIdField.optional().describe('Keys of this service account'),
  userId: userIdField.optional().describe('Personal keys of this user'),
  labels: labelsField.optional().describe('Keys that have all of these'),
  createdBefore: instantField.optional().describe('Keys that were issued before then'),
  limit: z.int().min(1).max(revokedAtOnceMax).default(100).describe('At most so many in this request'),
  reason: reasonField.optional(),
};

export const revokedApiKeysView = z.strictObject({
  revoked: z.array(z.string()).describe('Fingerprints of those that this request has revoked'),
  hasMore: z.boolean().describe('Whether there are more: send the request again'),
});
