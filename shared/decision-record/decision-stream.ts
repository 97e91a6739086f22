import type { CloudEvent, EventPublisher, OutgoingMessage } from '../events/index.ts';
import { type JsonValue, withDeadline } from '../kernel/index.ts';
import type { Logger } from '../telemetry/index.ts';
import type { JournalPart } from './decision-journal.ts';
import { splitLines } from './recorded-decision.ts';

/**
 * Records as they are journaled, for whoever wants them within the second: topic `audit.decision`, one CloudEvent
 * `uos.decision.recorded.v1` a flush and organization, or more where it would grow too large. A copy and no proof:
 * best effort, behind the journal, and never waited for. What Kafka does not take is counted and dropped.
 */
export type DecisionStream = {
  send(parts: readonly JournalPart[]): void;
  close(): Promise<void>;
};

const decisionTopic = 'audit.decision';

/** For an instance without a publisher. */
export const noDecisionStream: DecisionStream = { send: () => undefined, close: async () => undefined };

/** The stream to where a URL of the configuration names, or nowhere. */
export function openDecisionStream(
  url: string | undefined,
  deps: { open(url: string): EventPublisher; source: string; logger: Logger },
): DecisionStream {
  return url === undefined ? noDecisionStream : createDecisionStream({ ...deps, publisher: deps.open(url) });
}

const batchCharactersMax = 200_000;
const closeTimeoutMs = 5_000;
/** What may wait for Kafka. */
const waitingCharactersMax = 16 * 1024 * 1024;

export function createDecisionStream(deps: {
  readonly publisher: EventPublisher;
  readonly source: string;
  readonly logger: Logger;
}): DecisionStream {
  let waiting: OutgoingMessage[] = [];
  let characters = 0;
  let dropped = 0;
  let sending: Promise<void> | undefined;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const messages = waiting;
      waiting = [];
      characters = 0;
      try {
        await deps.publisher.publish(messages);
      } catch (error) {
        dropped += messages.length;
        deps.logger.warn({ error, dropped }, 'Decisions were not streamed');
      }
    }
    sending = undefined;
  }
  return {
    send: (parts) => {
      for (const message of parts.flatMap((part) => toMessages(part, deps.source))) {
        if (characters + message.value.length > waitingCharactersMax) dropped++;
        else {
          characters += message.value.length;
          waiting.push(message);
        }
      }
      sending ??= drain();
    },
    close: async () => {
      try {
        await withDeadline({ what: 'The last decisions', timeoutMs: closeTimeoutMs }, async () => {
          await sending;
          await deps.publisher.close();
        });
      } catch (error) {
        deps.logger.warn({ error, waiting: waiting.length }, 'Decisions were not streamed');
      }
    },
  };
}

function toMessages(part: JournalPart, source: string): OutgoingMessage[] {
  return toBatches(splitLines(part.lines)).map((lines, batch) => ({
    topic: decisionTopic,
    key: part.organizationId,
    contentType: 'application/cloudevents+json',
    // Not canonical: a record may hold what canonical JSON refuses, and nothing hashes this.
    value: JSON.stringify(toEvent(part, { source, batch, lines })),
  }));
}

/** The same flush sent twice has the same ids. */
function toEvent(
  part: JournalPart,
  { source, batch, lines }: { source: string; batch: number; lines: readonly string[] },
): CloudEvent {
  return {
    specversion: '1.0',
    id: `${part.id}.${part.place}.${batch}`,
    source,
    type: 'uos.decision.recorded.v1',
    subject: part.id,
    time: part.to.toISOString(),
    datacontenttype: 'application/json',
    orgid: part.organizationId,
    partitionkey: part.organizationId,
    data: { records: lines.map((line): JsonValue => JSON.parse(line)) } as CloudEvent['data'],
  };
}

function toBatches(lines: readonly string[]): string[][] {
  const batches: string[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    characters += line.length;
    if (characters > batchCharactersMax) {
      batches.push([]);
      characters = line.length;
    }
    batches.at(-1)?.push(line);
  }
  return batches;
}
