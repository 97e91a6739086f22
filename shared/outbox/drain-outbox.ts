import { type DatabasePool, withSystem } from '../db/index.ts';
import type { EventPublisher, OutgoingMessage } from '../events/index.ts';
import { withDeadline } from '../kernel/index.ts';
import type { OutboxEntry, OutboxStore } from './outbox-store.ts';

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

const batchMax = 500;
/** Below the pool's `idle_in_transaction_session_timeout`, which ends the transaction, and with it the lead. */
export const publishTimeoutMs = 30_000;

/**
 * Publishes until nothing is left. Each batch is one transaction that is held while it is published, against the
 * rule of `withOrg`, because it is also the lead: a relay that dies gives it up with its connection, and a crash
 * between publishing and deleting repeats events instead of losing them. Throws when the publisher refuses.
 */
export async function drainOutbox(deps: OutboxDeps): Promise<DrainReport> {
  for (let published = 0; ; ) {
    const sent = await relayBatch(deps);
    if (sent === undefined) return { published, isLedElsewhere: true };
    published += sent;
    if (sent < batchMax) return { published, isLedElsewhere: false };
  }
}

/** How many were sent; undefined when another relay leads. */
async function relayBatch({ pool, store, publisher }: OutboxDeps): Promise<number | undefined> {
  return withSystem(pool, async (tx) => {
    if (!(await store.lead(tx))) return undefined;
    const entries = await store.listOldest(tx, batchMax);
    if (entries.length === 0) return 0;
    await withDeadline({ what: 'Publishing a batch of the outbox', timeoutMs: publishTimeoutMs }, () =>
      publisher.publish(entries.map(toMessage)),
    );
    await store.remove(tx, entries);
    return entries.length;
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
