import { newApiKeyBody, scopesField } from './api-key.schema.ts';

export const issuePersonalApiKeyBody = { ...newApiKeyBody, scopes: scopesField };
