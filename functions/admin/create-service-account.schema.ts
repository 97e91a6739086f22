import { displayNameField, nameField } from './field.schema.ts';

export const createServiceAccountBody = {
  name: nameField.describe('Unique in the organization; it never changes'),
  displayName: displayNameField,
};
