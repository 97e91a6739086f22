import { displayNameField, labelsField, nameField } from './field.schema.ts';
import { accountExpiryField, accountReasonField, ownerTeamField } from './service-account.schema.ts';

export const createServiceAccountBody = {
  name: nameField.describe('Unique in the organization; it never changes'),
  displayName: displayNameField,
  ownerTeamId: ownerTeamField.optional(),
  labels: labelsField.optional(),
  expiresAt: accountExpiryField.optional(),
  reason: accountReasonField.optional(),
};
