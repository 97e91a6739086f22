import { displayNameField, nameField } from './field.schema.ts';

export const createOrganizationBody = {
  name: nameField.describe('Unique in the deployment; it never changes'),
  displayName: displayNameField,
};
