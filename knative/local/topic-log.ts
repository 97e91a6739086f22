import type { TravellingEvent } from './delivery.ts';

/** One accepted event and its partition key: events of one key stay in order. */
export type TopicRecord = { readonly key: string; readonly event: TravellingEvent };

/**
 * Where accepted events wait: the local stand-in for Kafka, or Kafka itself. Contract: `append` resolves when the
 * records would survive a kill -9; a consumer group gets every record at least once, those of one key in order,
 * the next only after `handle` resolved for the one before; what was handled before a restart is not lost or skipped.
 */
export type TopicLog = {
  append(topic: string, records: readonly TopicRecord[]): Promise<void>;
  consume(input: { topic: string; group: string; handle(record: TopicRecord): Promise<void> }): Promise<void>;
  close(): Promise<void>;
};
