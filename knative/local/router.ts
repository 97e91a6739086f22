import { createServer, type IncomingMessage, type Server } from 'node:http';
import { Cron } from 'croner';
import { type DeliveryRules, deliver, durationMs, type TravellingEvent } from './delivery.ts';
import type { KafkaSourceManifest, Manifests, PingSourceManifest } from './manifests.ts';
import type { TopicLog, TopicRecord } from './topic-log.ts';

export type RouterOptions = {
  readonly manifests: Manifests;
  readonly log: TopicLog;
  /** Where a Service listens. */
  readonly urlOf: (service: string) => string;
  readonly onLine: (line: string) => void;
};

export type Router = {
  /** Events are posted to `<url>/<topic>`, one a request, and accepted with 202 once they are durable. */
  readonly url: string;
  /** Ticks begin: asked for once the Services are up, or the first ones would be lost. */
  startSchedules(): void;
  close(): Promise<void>;
};

// Knative's PingSource: five quick retries, then the tick is lost (pkg/adapter/mtping/runner.go).
const pingRules: DeliveryRules = {
  retry: 5,
  backoffPolicy: 'exponential',
  backoffDelayMs: 50,
  timeoutMs: 600_000,
};

/** Plays Kafka's ingress, every KafkaSource and every PingSource of the manifests on one machine. */
export async function startRouter(options: RouterOptions): Promise<Router> {
  const stop = new AbortController();
  const server = createServer((req, res) => {
    accept(options.log, req).then(
      (status) => res.writeHead(status).end(),
      (error: unknown) => {
        options.onLine(`An event was not accepted: ${error}`);
        res.writeHead(503).end();
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  for (const source of options.manifests.kafkaSources) await consume(options, source, stop.signal);
  const ticks: Cron[] = [];
  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    startSchedules: () => {
      for (const source of options.manifests.pingSources) ticks.push(schedule(options, source, stop.signal));
    },
    close: async () => {
      for (const tick of ticks) tick.stop();
      stop.abort();
      await options.log.close();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const bodyBytesMax = 1_048_576;

async function accept(log: TopicLog, req: IncomingMessage): Promise<number> {
  const topic = decodeURIComponent((req.url ?? '/').slice(1));
  if (req.method !== 'POST' || !/^[a-z][a-z.-]{0,99}$/.test(topic)) return 404;
  if (!req.headers['content-type']?.startsWith('application/cloudevents+json')) return 415;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of req) {
    length += chunk.length;
    if (length > bodyBytesMax) return 413;
    chunks.push(chunk);
  }
  const event = parseEvent(Buffer.concat(chunks).toString('utf8'));
  if (event === undefined) return 400;
  await log.append(topic, [{ key: String(event['partitionkey'] ?? ''), event }]);
  return 202;
}

function parseEvent(text: string): TravellingEvent | undefined {
  try {
    const event: unknown = JSON.parse(text);
    return typeof event === 'object' && event !== null && !Array.isArray(event)
      ? (event as TravellingEvent)
      : undefined;
  } catch {
    return undefined;
  }
}

async function consume(
  options: RouterOptions,
  source: KafkaSourceManifest,
  signal: AbortSignal,
): Promise<void> {
  const { delivery, sink, consumerGroup, topics } = source.spec;
  const rules: DeliveryRules = {
    retry: delivery.retry,
    backoffPolicy: delivery.backoffPolicy,
    backoffDelayMs: durationMs(delivery.backoffDelay),
    timeoutMs: durationMs(delivery.timeout),
  };
  const deadLetterTopic = options.manifests.kafkaSinks.find(
    ({ metadata }) => metadata.name === delivery.deadLetterSink.ref.name,
  )?.spec.topic;
  if (deadLetterTopic === undefined)
    throw new Error(`KafkaSource ${source.metadata.name} names a dead letter sink that is not there`);
  const handle = async (record: TopicRecord) => {
    const outcome = await deliver({ url: options.urlOf(sink.ref.name), event: record.event, rules, signal });
    if (outcome.delivered) return;
    options.onLine(
      `Event ${record.event['id']} for ${sink.ref.name} goes to ${deadLetterTopic}: ${outcome.code ?? 'no answer'} ${outcome.reason}`,
    );
    const knativeerror = {
      knativeerrordest: sink.ref.name,
      knativeerrorcode: String(outcome.code ?? 0),
      knativeerrordata: outcome.reason,
    };
    await options.log.append(deadLetterTopic, [
      { key: record.key, event: { ...record.event, ...knativeerror } },
    ]);
  };
  for (const topic of topics) await options.log.consume({ topic, group: consumerGroup, handle });
}

function schedule(options: RouterOptions, source: PingSourceManifest, signal: AbortSignal): Cron {
  const { name } = source.metadata;
  // A tick that is still being handled is not joined by another.
  return new Cron(source.spec.schedule, { protect: true }, async () => {
    const now = new Date();
    const event = {
      specversion: '1.0',
      id: `${name}-${now.getTime()}`,
      source: `/apis/v1/namespaces/local/pingsources/${name}`,
      type: 'dev.knative.sources.ping',
      time: now.toISOString(),
      datacontenttype: source.spec.contentType,
      data: JSON.parse(source.spec.data),
    };
    const outcome = await deliver({
      url: options.urlOf(source.spec.sink.ref.name),
      event,
      rules: pingRules,
      signal,
    }).catch(() => undefined);
    if (outcome?.delivered === false)
      options.onLine(`A tick of ${name} was lost: ${outcome.code ?? 'no answer'} ${outcome.reason}`);
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The router has no port');
  return address.port;
}
