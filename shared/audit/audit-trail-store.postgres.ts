import type { AuditTrailStore } from './audit-trail-store.ts';

export const postgresAuditTrailStore: AuditTrailStore = {
  list: async (tx, page) => {
    let query = tx
      .selectFrom('audit_event')
      .select(['event_id', 'type', 'subject', 'actor_type', 'actor_id', 'occurred_at', 'leaf'])
      // Ids sort by time of creation.
      .orderBy('event_id', 'desc')
      .limit(page.limit);
    if (page.before !== undefined) query = query.where('event_id', '<', page.before);
    if (page.subject !== undefined) query = query.where('subject', '=', page.subject);
    return (await query.execute()).map((row) => ({
      id: row.event_id,
      type: row.type,
      subject: row.subject,
      actor: { type: row.actor_type, id: row.actor_id },
      occurredAt: row.occurred_at,
      leaf: row.leaf,
    }));
  },
};
