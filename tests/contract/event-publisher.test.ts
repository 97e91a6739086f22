import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findKafka, type KafkaServer, startKafka } from '../../knative/local/kafka-server.ts';
import type { EventPublisher, OutgoingMessage } from '../../shared/events/index.ts';
import { openPublisher } from '../../shared/events/open-publisher.ts';
import { createMemoryPublisher, type MemoryEventPublisher } from '../../shared/events/publisher.memory.ts';
import { PublishError } from '../../shared/events/publisher.ts';
import { batchMax } from '../../shared/outbox/index.ts';

/** The other side of a publisher: what it accepted, and a switch that makes it fail. */
type Broker = {
  open(): EventPublisher;
  received(): Promise<readonly OutgoingMessage[]>;
  breakDown(): Promise<void>;
  recover(): Promise<void>;
  stop(): Promise<void>;
};

const contentType = 'application/cloudevents+json';
const topics = ['audit.identity', 'reconcile.requested'] as const;
const deps = { clientId: 'test', onWarning: () => {} };
// A broker that starts, compiles itself and elects its leaders on a machine shared with everything else.
const brokerDeadlineMs = 120_000;
const timeout = 2 * brokerDeadlineMs;

function message(topic: (typeof topics)[number], key: string, number: number): OutgoingMessage {
  return { topic, key, value: JSON.stringify({ partitionkey: key, text: 'ä€😀', number }), contentType };
}

async function memoryBroker(): Promise<Broker> {
  const opened: MemoryEventPublisher[] = [];
  const fail = async (failure: Error | undefined) => {
    for (const publisher of opened) publisher.failure = failure;
  };
  return {
    open: () => {
      const publisher = createMemoryPublisher();
      opened.push(publisher);
      return publisher;
    },
    received: async () => opened.flatMap((publisher) => publisher.accepted),
    breakDown: () => fail(new Error('down')),
    recover: () => fail(undefined),
    stop: async () => {},
  };
}

async function httpBroker(): Promise<Broker> {
  const received: OutgoingMessage[] = [];
  let isDown = false;
  const server: Server = createServer(async (request, response) => {
    const body = await buffer(request);
    if (isDown) return void response.writeHead(503).end();
    const topic = decodeURIComponent(request.url?.split('/').at(-1) ?? '');
    const value = body.toString();
    received.push({
      topic,
      key: JSON.parse(value).partitionkey,
      value,
      contentType: request.headers['content-type'] ?? '',
    });
    response.writeHead(202).end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const switchTo = async (down: boolean) => {
    isDown = down;
  };
  return {
    open: () => openPublisher(`http://127.0.0.1:${port}/topics/`, deps),
    received: async () => received,
    breakDown: () => switchTo(true),
    recover: () => switchTo(false),
    stop: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function kafkaBroker(): Promise<Broker> {
  const directory = await mkdtemp(join(tmpdir(), 'uos-kafka-'));
  let server: KafkaServer = await startKafka({ directory });
  await server.createTopics(topics.map((topic) => ({ topic, partitions: 3 })));
  const [broker = ''] = server.brokers;
  return {
    open: () => openPublisher(`kafka://${broker}`, deps),
    received: () => readAll(broker),
    breakDown: () => server.stop(),
    recover: async () => {
      server = await startKafka({ directory, port: Number(broker.split(':')[1]) });
      await untilEveryPartitionIsLed(broker);
    },
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A broker that has started answers for a while before it leads what it holds. */
async function untilEveryPartitionIsLed(broker: string): Promise<void> {
  const admin = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const isLed = async () => {
    const { topics: known } = await admin.fetchTopicMetadata({ topics: [...topics] });
    return known.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
  };
  const deadline = AbortSignal.timeout(brokerDeadlineMs);
  while (!(await isLed().catch(() => false))) {
    deadline.throwIfAborted();
    await pause(50);
  }
  await admin.disconnect();
}

/** Everything in the topics up to their present ends. */
async function readAll(broker: string): Promise<OutgoingMessage[]> {
  const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  await admin.connect();
  const ends = (await Promise.all(topics.map((topic) => admin.fetchTopicOffsets(topic)))).flat();
  await admin.disconnect();
  const expected = ends.reduce((sum, end) => sum + Number(end.high), 0);
  const found: OutgoingMessage[] = [];
  const consumer = kafka.consumer({ groupId: `read-${performance.now()}`, maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topics: [...topics], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ topic, message: { key, value, headers } }) => {
      const type = String(headers?.['content-type'] ?? '');
      found.push({ topic, key: String(key), value: String(value), contentType: type });
    },
  });
  const deadline = AbortSignal.timeout(brokerDeadlineMs);
  while (found.length < expected) {
    deadline.throwIfAborted();
    await pause(20);
  }
  await consumer.disconnect();
  return found;
}

const hasKafka = (await findKafka()) !== undefined;

describe.each([
  { name: 'memory', start: memoryBroker, skip: false },
  { name: 'HTTP', start: httpBroker, skip: false },
  { name: 'a real Kafka', start: kafkaBroker, skip: !hasKafka },
])('the event publisher over $name', { timeout }, ({ start, skip }) => {
  let broker: Broker;
  beforeAll(async () => {
    if (!skip) broker = await start();
  }, timeout);
  afterAll(async () => broker?.stop());

  test.skipIf(skip)('has every message accepted exactly as given when it resolves', async () => {
    const publisher = broker.open();
    const sent = [message('audit.identity', 'exact-a', 1), message('reconcile.requested', 'exact-b', 2)];
    await publisher.publish(sent);
    const received = await broker.received();
    expect(received.filter(({ key }) => key.startsWith('exact'))).toEqual(expect.arrayContaining(sent));
    expect(received.filter(({ key }) => key.startsWith('exact'))).toHaveLength(2);
    await publisher.close();
  });

  test.skipIf(skip)('keeps the order of a key across calls that were not awaited', async () => {
    const publisher = broker.open();
    const batches = Array.from({ length: 20 }, (_, batch) =>
      ['order-a', 'order-b', 'order-c'].flatMap((key) =>
        [0, 1].map((half) => message('audit.identity', key, batch * 2 + half)),
      ),
    );
    await Promise.all(batches.map((batch) => publisher.publish(batch)));
    await publisher.close();
    const received = await broker.received();
    for (const key of ['order-a', 'order-b', 'order-c']) {
      const numbers = received
        .filter((found) => found.key === key)
        .map((found) => JSON.parse(String(found.value)).number);
      expect(numbers).toEqual(Array.from({ length: 40 }, (_, number) => number));
    }
  });

  // A batch that the broker refuses for its size is refused at every retry.
  test.skipIf(skip)('accepts the largest batch that the outbox makes, all of one key', async () => {
    const publisher = broker.open();
    const key = 'org_00000000000000000000000001';
    const text = 'x'.repeat(batchMax.bytes / batchMax.entries - 80);
    const value = JSON.stringify({ partitionkey: key, text });
    const sent = { topic: 'audit.identity', key, value, contentType };
    await publisher.publish(Array.from({ length: batchMax.entries }, () => sent));
    await publisher.close();
    const received = (await broker.received()).filter((found) => found.key === key);
    expect(received).toHaveLength(batchMax.entries);
  });

  test.skipIf(skip)('accepts an empty batch', async () => {
    const publisher = broker.open();
    await publisher.publish([]);
    await publisher.close();
  });

  test.skipIf(skip)(
    'rejects while the other side is down, and the same publisher works when it is back',
    async () => {
      const publisher = broker.open();
      await publisher.publish([message('audit.identity', 'outage', 1)]);
      await broker.breakDown();
      await expect(publisher.publish([message('audit.identity', 'outage', 2)])).rejects.toThrow(PublishError);
      await broker.recover();
      await publisher.publish([
        message('audit.identity', 'outage', 2),
        message('audit.identity', 'outage', 3),
      ]);
      await publisher.close();
      const numbers = (await broker.received())
        .filter(({ key }) => key === 'outage')
        .map(({ value }) => JSON.parse(String(value)).number);
      expect(new Set(numbers)).toEqual(new Set([1, 2, 3]));
      expect(numbers).toEqual([...numbers].sort());
    },
  );

  test.skipIf(skip)('refuses to publish once closed', async () => {
    const publisher = broker.open();
    await publisher.close();
    await publisher.close();
    await expect(publisher.publish([message('audit.identity', 'closed', 1)])).rejects.toThrow('closed');
  });
});

test.skipIf(!hasKafka)('Kafka refuses a topic that nobody created', { timeout }, async () => {
  const broker = await kafkaBroker();
  const publisher = broker.open();
  const misspelt = { topic: 'audit.identiti', key: 'a', value: '{}', contentType };
  await expect(publisher.publish([misspelt])).rejects.toThrow(PublishError);
  await publisher.close();
  await broker.stop();
});

describe('the publisher of a URL', () => {
  test.each([
    '',
    'kafka://',
    'kafka://host',
    'kafka://a:1,b',
    'kafka://user@host:1',
    'ftp://host',
    'file:///x',
  ])('refuses %j', (url) => expect(() => openPublisher(url, deps)).toThrow('event publisher'));
});
