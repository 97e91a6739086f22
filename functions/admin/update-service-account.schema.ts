import { reasonField } from './api-key.schema.ts';
import { displayNameField, labelsField } from './field.schema.ts';
import { accountExpiryField, ownerTeamField } from './service-account.schema.ts';

export const updateServiceAccountBody = {
  displayName: displayNameField.optional(),
  ownerTeamId: ownerTeamField.nullable().optional(),
  labels: labelsField.optional(),
  expiresAt: accountExpiryField.nullable().optional(),
  reason: reasonField.optional(),
};
