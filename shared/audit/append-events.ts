import { type OrgTransaction, withOrg } from '../db/index.ts';
import type { CloudEvent } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { LogDay } from './audit-log.ts';
import type { AuditLogDeps } from './audit-log-deps.ts';
import type { AuditLogStore, EventName } from './audit-log-store.ts';
import { growLog } from './grow-log.ts';
import { openLog } from './open-log.ts';

export type AppendOutcome = 'appended' | 'duplicate';
export type AppendFailure = { readonly code: 'audit_log.organization_not_found' };

export type Appended = {
  /** One for each event given. */
  readonly outcomes: readonly AppendOutcome[];
  /** Logs that grew and so want publishing. */
  readonly grown: readonly LogDay[];
};

/**
 * Appends events of one organization to the log of today, in the order given, and signs the grown log; all of it in
 * one transaction. An event that a log holds already is a duplicate and changes nothing.
 */
export async function appendEvents(
  deps: AuditLogDeps,
  organizationId: OrganizationId,
  events: readonly CloudEvent[],
): Promise<Result<Appended, AppendFailure>> {
  return withOrg(deps.pool, organizationId, async (tx) => {
    await deps.store.lock(tx);
    const outcomes = await judge(deps.store, tx, events);
    const fresh = events.filter((_, at) => outcomes[at] === 'appended');
    if (fresh.length === 0) return ok({ outcomes, grown: [] });
    const newest = await deps.store.findNewest(tx);
    if (newest === undefined && !(await deps.store.hasOrganization(tx)))
      return fail({ code: 'audit_log.organization_not_found' });
    const now = deps.clock.now();
    const { log, first, sealed } = await openLog(deps, tx, { organizationId, newest, now });
    await deps.store.save(tx, await growLog(deps, tx, { log, events: [...first, ...fresh] }), now);
    return ok({ outcomes, grown: sealed === undefined ? [log.day] : [sealed.day, log.day] });
  });
}

async function judge(
  store: AuditLogStore,
  tx: OrgTransaction,
  events: readonly CloudEvent[],
): Promise<AppendOutcome[]> {
  const names = events.map((event) => ({ source: event.source, eventId: event.id }));
  const seen = new Set((await store.findKnown(tx, names)).map(toKey));
  return names.map((name) => {
    if (seen.has(toKey(name))) return 'duplicate';
    seen.add(toKey(name));
    return 'appended';
  });
}

function toKey({ source, eventId }: EventName): string {
  return JSON.stringify([source, eventId]);
}
