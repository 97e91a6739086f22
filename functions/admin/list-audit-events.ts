import { listTrail } from '../../shared/audit/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { auditEventView, toAuditEventView } from './audit-event.schema.ts';
import { listAuditEventsQuery } from './list-audit-events.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, toPage, toStorePage } from './page.ts';

export const listAuditEventsOperation = defineOperation({
  id: 'listAuditEvents',
  method: 'get',
  path: '/v1/organizations/{org}/audit/events',
  summary: 'Read what happened in an organization, newest first; that it was read is recorded too',
  permission: 'audit:read',
  query: listAuditEventsQuery,
  response: pageOf(auditEventView),
  act: async (deps, { actor, organization, query }) => {
    const subject = query.subject === undefined ? {} : { subject: query.subject };
    const found = await listTrail(
      { pool: deps.pool, store: deps.stores.auditTrail },
      { organizationId: organization.id, ...toStorePage(query), ...subject },
    );
    const page = toPage(found, query, toAuditEventView);
    // Recorded before it is shown: nobody reads the record unrecorded.
    await withOrg(deps.pool, organization.id, (tx) =>
      deps.events.record(tx, organization.id, {
        type: 'uos.audit-trail.read.v1',
        subject: organization.id,
        actor,
        data: { count: page.items.length },
      }),
    );
    return ok({ body: page });
  },
});
