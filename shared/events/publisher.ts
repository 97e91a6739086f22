export type OutgoingMessage = {
  readonly topic: string;
  /** Messages with the same topic and key stay in order. */
  readonly key: string;
  readonly value: Uint8Array | string;
  /** `application/cloudevents+json` for an event in structured mode. */
  readonly contentType: string;
};

/**
 * Where the outbox goes. Every implementation promises:
 * - `publish` resolves only when every message is durably accepted by the other side.
 * - When it rejects, with `PublishError`, any of the messages may have been accepted; the caller sends all again.
 *   Consumers drop duplicates by event source and id.
 * - Messages with the same topic and key are accepted in the order given, across calls too, also when the caller does
 *   not wait between them.
 * - A failure does not spoil the publisher: the next `publish` starts afresh.
 * - `close` waits for what is under way; `publish` after it rejects.
 */
export type EventPublisher = {
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
};

export class PublishError extends Error {
  override readonly name = 'PublishError';
}

/**
 * The part every implementation shares: one batch at a time in the order of the calls, faults wrapped, nothing after
 * `close`.
 */
export function createSerialPublisher(transport: {
  send(messages: readonly OutgoingMessage[]): Promise<void>;
  close(): Promise<void>;
}): EventPublisher {
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;
  const afterLast = (work: () => Promise<void>): Promise<void> => {
    const mine = last.then(work);
    last = mine.catch(() => {});
    return mine;
  };
  return {
    publish: async (messages) => {
      if (isClosed) throw new PublishError('The publisher is closed');
      if (messages.length === 0) return;
      await afterLast(() =>
        transport.send(messages).catch((cause: unknown) => {
          throw new PublishError(`Could not publish ${messages.length} messages`, { cause });
        }),
      );
    },
    close: async () => {
      if (isClosed) return;
      isClosed = true;
      await afterLast(() => transport.close());
    },
  };
}
