import { z } from 'zod';
import { apiKeyId, parseFingerprint } from '../../shared/api-key/index.ts';
import { labelFilterField, serviceAccountIdField, userIdField } from './field.schema.ts';
import { pageQuery } from './page.ts';

export const listApiKeysQuery = {
  ...pageQuery(apiKeyId),
  serviceAccount: serviceAccountIdField.optional().describe('Only the keys of this service account'),
  user: userIdField.optional().describe('Only the personal keys of this user'),
  label: labelFilterField.optional(),
  fingerprint: z
    .string()
    .refine(
      (text) => parseFingerprint(text) !== undefined,
      'must be a fingerprint, as lists and events show it',
    )
    .optional()
    .describe('Only the key of this fingerprint, which may be that of an earlier secret'),
};
