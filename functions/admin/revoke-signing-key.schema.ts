import { z } from 'zod';
import { instantField, lineField } from './field.schema.ts';

export const signingKeyIdField = z
  .string()
  .regex(/^[\w-]{43}$/, 'must be a "kid": 43 characters of base64url')
  .describe('The "kid" of its tokens: thumbprint of the key, RFC 7638');

export const revokeSigningKeyBody = {
  reason: lineField(200).optional().describe('Stands in the audit log for ever: no secret, no personal data'),
};

export const revokedSigningKeyView = z.strictObject({
  id: z.string(),
  algorithm: z.string(),
  revokedAt: instantField,
});
