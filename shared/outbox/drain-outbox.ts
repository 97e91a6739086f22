import { type DatabasePool, withSystem } from '../db/index.ts';
import type { EventPublisher, OutgoingMessage } from '../events/index.ts';
import { withDeadline } from '../kernel/index.ts';
import type { OutboxEntry, OutboxLimits, OutboxPage, OutboxStore } from './outbox-store.ts';

export type OutboxDeps = {
  readonly pool: DatabasePool;
  readonly store: OutboxStore;
  readonly publisher: EventPublisher;
};

export type DrainReport = {
  readonly published: number;
  /** Another relay is at work: what we would have sent, it sends. */
  readonly isLedElsewhere: boolean;
};

/**
 * A broker takes 1 MiB of records at once for a partition (Kafka's message.max.bytes), names and headers included, and
 * refuses more for good: one organization's long events would hold up everybody's.
 */
export const batchMax: OutboxLimits = { entries: 500, bytes: 768 * 1024 };
/** Below the pool's `idle_in_transaction_session_timeout`, which ends the transaction, and with it the lead. */
export const publishTimeoutMs = 30_000;

/**
 * Publishes until nothing is left. Each batch is one transaction that is held while it is published, against the
 * rule of `withOrg`, because it is also the lead: a relay that dies gives it up with its connection, and a crash
 * between publishing and deleting repeats events instead of losing them. Throws when the publisher refuses.
 */
export async function drainOutbox(deps: OutboxDeps): Promise<DrainReport> {
  for (let published = 0; ; ) {
    const batch = await relayBatch(deps);
    if (batch === undefined) return { published, isLedElsewhere: true };
    published += batch.entries.length;
    if (!batch.isCut) return { published, isLedElsewhere: false };
  }
}

/** What was sent; undefined when another relay leads. */
async function relayBatch({ pool, store, publisher }: OutboxDeps): Promise<OutboxPage | undefined> {
  return withSystem(pool, async (tx) => {
    if (!(await store.lead(tx))) return undefined;
    const page = await store.listOldest(tx, batchMax);
    const { entries } = page;
    if (entries.length === 0) return page;
    await withDeadline({ what: 'Publishing a batch of the outbox', timeoutMs: publishTimeoutMs }, () =>
      publisher.publish(entries.map(toMessage)),
    );
    await store.remove(tx, entries);
    return page;
  });
}

function toMessage(entry: OutboxEntry): OutgoingMessage {
  return {
    topic: entry.topic,
    key: entry.organizationId,
    value: entry.payload,
    contentType: 'application/cloudevents+json',
  };
}
