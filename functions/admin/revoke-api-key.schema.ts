import { reasonField } from './api-key.schema.ts';

export const revokeApiKeyBody = { reason: reasonField.optional() };
