import { type OrgTransaction, withOrg } from '../db/index.ts';
import { type CloudEvent, toLeaf } from '../events/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { LogDay } from './audit-log.ts';
import type { AuditLogDeps } from './audit-log-deps.ts';
import type { AuditLogStore, EventName } from './audit-log-store.ts';
import { growLog } from './grow-log.ts';
import { openLog } from './open-log.ts';

/** `unrecorded`: no change of the organization was committed with exactly this event. It is invented, or was altered. */
export type AppendOutcome = 'appended' | 'duplicate' | 'unrecorded';

export type Appended = {
  /** One for each event given. */
  readonly outcomes: readonly AppendOutcome[];
  /** Logs that grew and so want publishing. */
  readonly grown: readonly LogDay[];
};

/**
 * Appends events of one organization to the log of today, in the order given, and signs the grown log; all of it in
 * one transaction. An event that a log holds already is a duplicate and changes nothing. One that the trail does not
 * hold to the byte is left out: whoever can reach us could otherwise have anything signed.
 */
export async function appendEvents(
  deps: AuditLogDeps,
  organizationId: OrganizationId,
  events: readonly CloudEvent[],
): Promise<Appended> {
  return withOrg(deps.pool, organizationId, async (tx) => {
    // Before the lock, so that invented events take none: a row of the trail never changes.
    const recorded = await selectRecorded(deps.store, tx, events);
    if (recorded.size === 0) return { outcomes: events.map(() => 'unrecorded'), grown: [] };
    await deps.store.lock(tx);
    const outcomes = await judge(deps.store, tx, { events, recorded });
    const fresh = events.filter((_, at) => outcomes[at] === 'appended');
    if (fresh.length === 0) return { outcomes, grown: [] };
    const newest = await deps.store.findNewest(tx);
    const now = deps.clock.now();
    const { log, first, sealed } = await openLog(deps, tx, { organizationId, newest, now });
    await deps.store.save(tx, await growLog(deps, tx, { log, events: [...first, ...fresh] }), now);
    return { outcomes, grown: sealed === undefined ? [log.day] : [sealed.day, log.day] };
  });
}

async function selectRecorded(
  store: AuditLogStore,
  tx: OrgTransaction,
  events: readonly CloudEvent[],
): Promise<ReadonlySet<CloudEvent>> {
  const ids = events.map((event) => event.id);
  const leaves = await store.findRecorded(tx, ids);
  return new Set(events.filter((event) => leaves.get(event.id) === toLeaf(event)));
}

/** What is unrecorded is told apart first: an altered event must not make the genuine one beside it a duplicate. */
async function judge(
  store: AuditLogStore,
  tx: OrgTransaction,
  { events, recorded }: { events: readonly CloudEvent[]; recorded: ReadonlySet<CloudEvent> },
): Promise<AppendOutcome[]> {
  const seen = new Set((await store.findKnown(tx, [...recorded].map(toName))).map(toKey));
  return events.map((event) => {
    if (!recorded.has(event)) return 'unrecorded';
    const key = toKey(toName(event));
    if (seen.has(key)) return 'duplicate';
    seen.add(key);
    return 'appended';
  });
}

function toName(event: CloudEvent): EventName {
  return { source: event.source, eventId: event.id };
}

function toKey({ source, eventId }: EventName): string {
  return JSON.stringify([source, eventId]);
}
