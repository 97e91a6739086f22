import { serviceAccountId } from '../../shared/service-account/index.ts';
import { labelFilterField } from './field.schema.ts';
import { pageQuery } from './page.ts';
import { accountStateField, ownerTeamField } from './service-account.schema.ts';

export const listServiceAccountsQuery = {
  ...pageQuery(serviceAccountId),
  label: labelFilterField.optional(),
  status: accountStateField.optional().describe('Only these; without it, all but the deleted ones'),
  ownerTeam: ownerTeamField.optional().describe('Only those of this team'),
};
