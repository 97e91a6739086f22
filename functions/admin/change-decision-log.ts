import { changeDecisionLog } from '../../shared/decision-record/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { changeDecisionLogBody, decisionLogView, toDecisionLogView } from './decision-log.schema.ts';
import { defineOperation } from './operation.ts';

export const changeDecisionLogOperation = defineOperation({
  id: 'changeDecisionLog',
  method: 'post',
  path: '/v1/organizations/{org}/decision-log',
  summary: 'Set what is kept of decisions; in force in every instance at once, and for what comes after',
  permission: 'organization:update',
  body: changeDecisionLogBody,
  response: decisionLogView,
  example: { body: { level: 'all', masks: [{ path: 'subject.email', mode: 'hash' }] } },
  act: async (deps, { actor, organization, body }) => {
    const changed = await changeDecisionLog(
      { ...deps, store: deps.stores.decisionLog },
      {
        organizationId: organization.id,
        actor,
        change: {
          ...(body.level === undefined ? {} : { level: body.level }),
          ...(body.masks === undefined ? {} : { masks: body.masks }),
        },
      },
    );
    return changed.ok ? ok({ body: toDecisionLogView(changed.value) }) : fail({ code: 'resource.not_found' });
  },
});
