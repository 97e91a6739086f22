import { z } from 'zod';
import { instantField } from './field.schema.ts';

export const signingKeysView = z.strictObject({
  items: z.array(
    z.strictObject({
      id: z.string().describe('The "kid" of its tokens: thumbprint of the key, RFC 7638'),
      algorithm: z.string(),
      isSigning: z.boolean().describe('Whether tokens of its algorithm are signed with it now'),
      publishedAt: instantField,
      activeFrom: instantField,
      verifyUntil: instantField.optional(),
    }),
  ),
});
