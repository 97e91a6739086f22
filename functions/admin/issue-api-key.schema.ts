import { newApiKeyBody, scopesField } from './api-key.schema.ts';

export const issueApiKeyBody = {
  ...newApiKeyBody,
  scopes: scopesField.optional(),
};
