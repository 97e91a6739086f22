/**
 * The way out for events: written with their change, published afterwards, in order for each organization.
 *
 * Invariants: nothing is published that did not commit; nothing that committed is dropped; an event may be published
 * twice, and then has the same source and id.
 *
 * @example
 * const relay = createOutboxRelay({ pool, store: postgresOutboxStore, publisher, logger });
 * relay.wake();
 */
export {
  batchMax,
  type DrainReport,
  drainOutbox,
  type OutboxDeps,
  publishTimeoutMs,
} from './drain-outbox.ts';
export {
  createOutboxRelay,
  type OutboxRelay,
  type OutboxRelayDeps,
  type RetryPolicy,
} from './outbox-relay.ts';
export type { OutboxEntry, OutboxLimits, OutboxPage, OutboxStore } from './outbox-store.ts';
