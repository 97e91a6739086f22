import { type Consumer, Kafka, logLevel, type Producer } from 'kafkajs';
import type { TopicLog, TopicRecord } from './topic-log.ts';

/** Real Kafka, consumed as a KafkaSource with `ordering: ordered` does: one record of a partition at a time. Topics exist already. */
export async function openKafkaTopicLog(input: { brokers: readonly string[] }): Promise<TopicLog> {
  const kafka = new Kafka({
    clientId: 'uos-local-router',
    brokers: [...input.brokers],
    logLevel: logLevel.NOTHING,
  });
  const producer: Producer = kafka.producer();
  await producer.connect();
  const consumers: Consumer[] = [];
  return {
    append: async (topic, records) => {
      const messages = records.map(({ key, event }) => ({
        key,
        value: JSON.stringify(event),
        headers: { 'content-type': 'application/cloudevents+json' },
      }));
      await producer.send({ topic, messages, acks: -1 });
    },
    consume: async ({ topic, group, handle }) => {
      const consumer = kafka.consumer({
        groupId: group,
        sessionTimeout: 30_000,
        heartbeatInterval: 3_000,
        retry: { retries: 20 },
      });
      consumers.push(consumer);
      await consumer.connect();
      await consumer.subscribe({ topic, fromBeginning: true });
      await consumer.run({
        eachMessage: async ({ message, heartbeat }) => {
          const beat = setInterval(() => void heartbeat().catch(() => undefined), 3_000);
          try {
            await handle(toRecord(message));
          } finally {
            clearInterval(beat);
          }
        },
      });
    },
    close: async () => {
      await Promise.all(consumers.map((consumer) => consumer.disconnect()));
      await producer.disconnect();
    },
  };
}

function toRecord(message: { key: Buffer | null; value: Buffer | null }): TopicRecord {
  return { key: message.key?.toString() ?? '', event: JSON.parse(message.value?.toString() ?? 'null') };
}
