import { Kafka, type LogEntry, logLevel, Partitioners, type Producer } from 'kafkajs';
import { withDeadline } from '../kernel/index.ts';
import { createSerialPublisher, type EventPublisher, type OutgoingMessage } from './publisher.ts';

export type KafkaPublisherOptions = {
  /** `host:port` of one or more brokers. */
  brokers: readonly string[];
  clientId: string;
  /** The client's own warnings and errors. Each failed `publish` is thrown besides. */
  onWarning(message: string): void;
};

const publishTimeoutMs = 30_000;
const retry = { retries: 5, initialRetryTime: 100, maxRetryTime: 2_000 };
const allInSyncReplicas = -1;

/**
 * Kafka, acknowledged by all in-sync replicas. The idempotent producer needs one request in flight to keep order under
 * its own retries. Keys go to partitions as the Java client sends them (murmur2), so that other producers agree.
 * Topics are the operator's: none is created here.
 */
export function createKafkaPublisher(options: KafkaPublisherOptions): EventPublisher {
  const kafka = new Kafka({
    clientId: options.clientId,
    brokers: [...options.brokers],
    connectionTimeout: 3_000,
    requestTimeout: 10_000,
    retry,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => options.onWarning(describe(entry)),
  });
  let producer: Producer | undefined;
  return createSerialPublisher({
    send: async (messages) => {
      try {
        await withDeadline({ what: 'Publishing to Kafka', timeoutMs: publishTimeoutMs }, async () => {
          producer ??= await connect(kafka);
          await sendBatch(producer, messages);
        });
      } catch (error) {
        // Its sequence numbers may now differ from the broker's: a new producer id is the only safe way on.
        await producer?.disconnect();
        producer = undefined;
        throw error;
      }
    },
    close: async () => {
      await producer?.disconnect();
    },
  });
}

async function connect(kafka: Kafka): Promise<Producer> {
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry,
  });
  await producer.connect();
  return producer;
}

async function sendBatch(producer: Producer, messages: readonly OutgoingMessage[]): Promise<void> {
  const topicMessages = [...Map.groupBy(messages, (message) => message.topic)].map(([topic, inOrder]) => ({
    topic,
    messages: inOrder.map(({ key, value, contentType }) => ({
      key,
      value: Buffer.from(value),
      headers: { 'content-type': contentType },
    })),
  }));
  await producer.sendBatch({ acks: allInSyncReplicas, topicMessages });
}

function describe(entry: LogEntry): string {
  return `kafka ${entry.namespace}: ${entry.log.message}`;
}
