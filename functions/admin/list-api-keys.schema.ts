import { apiKeyId } from '../../shared/api-key/index.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { pageQuery } from './page.ts';

export const listApiKeysQuery = {
  ...pageQuery(apiKeyId),
  serviceAccount: serviceAccountIdField.optional().describe('Only the keys of this service account'),
};
