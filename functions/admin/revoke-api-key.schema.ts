import { lineField } from './field.schema.ts';

export const revokeApiKeyBody = {
  reason: lineField(200).optional().describe('Stands in the audit log for ever: no secret, no personal data'),
};
