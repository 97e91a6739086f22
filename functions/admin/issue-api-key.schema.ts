import { z } from 'zod';
import { apiKeyView } from './api-key.schema.ts';
import { instantField, lineField } from './field.schema.ts';

export const issueApiKeyBody = {
  description: lineField(200).describe('What the key is for'),
  environment: z.enum(['live', 'test']).default('live').describe('Stands in the text of the key'),
  expiresAt: instantField.optional().describe('Absent: the key works until it is revoked'),
};

export const issuedApiKeyView = apiKeyView.extend({
  text: z.string().describe('The key itself. It is shown this once and cannot be read again'),
});
