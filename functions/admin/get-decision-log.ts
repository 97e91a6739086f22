import { findDecisionLog } from '../../shared/decision-record/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { decisionLogView, toDecisionLogView } from './decision-log.schema.ts';
import { defineOperation } from './operation.ts';

export const getDecisionLogOperation = defineOperation({
  id: 'getDecisionLog',
  method: 'get',
  path: '/v1/organizations/{org}/decision-log',
  summary: 'Read what is kept of the decisions about an organization',
  permission: 'audit:read',
  response: decisionLogView,
  act: async (deps, { organization }) => {
    const found = await findDecisionLog({ pool: deps.pool, store: deps.stores.decisionLog }, organization.id);
    return found.ok ? ok({ body: toDecisionLogView(found.value) }) : fail({ code: 'resource.not_found' });
  },
});
