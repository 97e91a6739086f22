import { listTrail } from '../../shared/audit/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { openPersonalData } from '../../shared/personal-data/index.ts';
import { auditEventView, toAuditEventView } from './audit-event.schema.ts';
import { listAuditEventsQuery } from './list-audit-events.schema.ts';
import { defineOperation } from './operation.ts';
import { pageOf, toPage, toStorePage } from './page.ts';
import { requireFurtherPermission } from './require-further-permission.ts';

export const listAuditEventsOperation = defineOperation({
  id: 'listAuditEvents',
  method: 'get',
  path: '/v1/organizations/{org}/audit/events',
  summary: 'Read what happened in an organization, newest first; that it was read is recorded too',
  permission: 'audit:read',
  query: listAuditEventsQuery,
  response: pageOf(auditEventView),
  act: async (deps, { caller, actor, organization, query }) => {
    const opens = query.personalData === 'open';
    const permitted = opens
      ? await requireFurtherPermission(deps, { caller, organization, permission: 'personal_data:read' })
      : ok(undefined);
    if (!permitted.ok) return permitted;
    const subject = query.subject === undefined ? {} : { subject: query.subject };
    const found = await listTrail(
      { pool: deps.pool, store: deps.stores.auditTrail },
      { organizationId: organization.id, ...toStorePage(query), ...subject },
    );
    const page = toPage(found, query, (event) => event);
    return withOrg(deps.pool, organization.id, async (tx) => {
      const leaves = page.items.map(({ leaf }) => leaf);
      const opened = opens
        ? await openPersonalData({ store: deps.stores.subjectKey, ring: deps.rings.personalData }, tx, {
            organizationId: organization.id,
            leaves,
          })
        : undefined;
      // Recorded before it is shown: nobody reads the record unrecorded.
      await deps.events.record(tx, organization.id, {
        type: 'uos.audit-trail.read.v1',
        subject: organization.id,
        actor,
        data: {
          count: page.items.length,
          ...(opened === undefined ? {} : { personalData: opened.flat().length }),
        },
      });
      const items = page.items.map((event, place) => toAuditEventView(event, opened?.[place]));
      return ok({ body: { ...page, items } });
    });
  },
});
