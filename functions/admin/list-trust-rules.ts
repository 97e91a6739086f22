import { z } from 'zod';
import { fail, ok } from '../../shared/kernel/index.ts';
import { findServiceAccount } from '../../shared/service-account/index.ts';
import { listTrustRules, trustRulesMax } from '../../shared/workload-identity/index.ts';
import { serviceAccountIdField } from './field.schema.ts';
import { defineOperation } from './operation.ts';
import { toTrustRuleView, trustRuleView } from './trust-rule.schema.ts';

export const listTrustRulesOperation = defineOperation({
  id: 'listTrustRules',
  method: 'get',
  path: '/v1/organizations/{org}/service-accounts/{serviceAccount}/trust-rules',
  summary: 'List the trust rules of a service account, newest first',
  permission: 'trust_rule:read',
  params: { serviceAccount: serviceAccountIdField },
  response: z.strictObject({ items: z.array(trustRuleView).max(trustRulesMax) }),
  act: async (deps, { organization, params }) => {
    const asked = { organizationId: organization.id, serviceAccountId: params.serviceAccount };
    const account = await findServiceAccount({ pool: deps.pool, store: deps.stores.serviceAccount }, asked);
    if (account === undefined) return fail({ code: 'resource.not_found' });
    const rules = await listTrustRules({ pool: deps.pool, store: deps.stores.trustRule }, asked);
    return ok({ body: { items: rules.map(toTrustRuleView) } });
  },
});
