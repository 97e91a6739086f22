import { createSerialPublisher, type EventPublisher, type OutgoingMessage } from './publisher.ts';

export type MemoryEventPublisher = EventPublisher & {
  /** Everything accepted so far, in order. */
  readonly accepted: readonly OutgoingMessage[];
  /** While set, every batch is refused with it. */
  failure: Error | undefined;
};

/** For tests of what stands before the publisher. */
export function createMemoryPublisher(): MemoryEventPublisher {
  const accepted: OutgoingMessage[] = [];
  const state: { failure: Error | undefined } = { failure: undefined };
  const serial = createSerialPublisher({
    send: async (messages) => {
      if (state.failure !== undefined) throw state.failure;
      accepted.push(...messages);
    },
    close: async () => {},
  });
  return Object.assign(state, serial, { accepted });
}
