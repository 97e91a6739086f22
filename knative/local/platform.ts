import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { buildFunctions } from '../../esbuild.config.ts';
import { migrateToLatest } from '../../migrations/index.ts';
import type { ConsoleLines } from './console-lines.ts';
import { type ClusterObjects, environmentOf, requireRead } from './environment.ts';
import { startKafka } from './kafka-server.ts';
import { type Manifests, readManifests } from './manifests.ts';
import { ensureOperatorKey } from './operator-key.ts';
import { choosePorts } from './ports.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { type LocalRedis, startRedis } from './redis.ts';
import { startRouter } from './router.ts';
import { startS3Server } from './s3-server.ts';
import { type ServiceProcess, startService } from './service-process.ts';
import { openState, type PlatformState } from './state.ts';
import { lockState } from './state-lock.ts';
import { openFileTopicLog } from './topic-log.file.ts';
import { openKafkaTopicLog } from './topic-log.kafka.ts';
import type { TopicLog } from './topic-log.ts';

export type PlatformOptions = {
  readonly stateDirectory: string;
  /** A real Kafka, S3 server and Redis instead of a topic file, a directory and each function's own memory. */
  readonly isReal: boolean;
  /** The same ports at every start, while they are free. */
  readonly keepsPorts: boolean;
  readonly console: ConsoleLines;
  /** Settings that override the local defaults, by key of the config map `uos-platform`; one that nobody reads throws. */
  readonly settings?: Readonly<Record<string, string>>;
};

export type Platform = {
  readonly state: PlatformState;
  readonly operatorKey: string;
  readonly postgres: Postgres;
  readonly services: ReadonlyMap<string, ServiceProcess>;
  urlOf(service: string): string;
  readonly objectStore: ObjectStoreLocation;
  /** `kafka://...` of the Kafka that runs, else the router's. */
  readonly eventPublisherUrl: string;
  stop(): Promise<void>;
};

export type ObjectStoreLocation = {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
};

const root = join(import.meta.dirname, '..', '..');
const bucket = 'uos';

/** Starts everything that the manifests in `knative/` describe on this machine; `stop` ends it in reverse order. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const { console } = options;
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const state = await openState(options.stateDirectory);
    stops.push(await lockState(state.directory));
    const manifests = await readManifests(join(root, 'knative'));
    requireRead(manifests.services, 'uos-platform', options.settings ?? {});
    await console.step(`Functions bundled (${manifests.services.length})`, () =>
      buildFunctions(state.functions),
    );
    const postgres = await startDatabase(options, state, stops);
    const operatorKey = await console.step('Platform organization and operator', () =>
      ensureOperatorKey(postgres.ownerUrl, state),
    );
    const objectStore = await startObjectStore(options, state, stops);
    const redis = await startCounters(options, stops);
    const { log, kafkaUrl } = await startTopics(options, state, manifests, stops);
    const ports = await choosePorts(
      manifests.services.map(({ metadata }) => metadata.name),
      options.keepsPorts,
    );
    const urlOf = (service: string) => `http://127.0.0.1:${ports.get(service)}`;
    const router = await console.step('Router: topics, triggers and schedules', () =>
      startRouter({ manifests, log, urlOf, onLine: (line) => console.line(`router        ${line}`) }),
    );
    stops.push(() => router.close());
    const eventPublisherUrl = kafkaUrl ?? router.url;
    const objects = clusterObjects({
      options,
      state,
      postgres,
      urlOf,
      objectStore,
      eventPublisherUrl,
      kafkaUrl,
      redis,
    });
    const services = startServices({ manifests, objects, ports, state }, console);
    stops.push(async () => {
      await Promise.all([...services.values()].map((service) => service.stop()));
    });
    for (const service of services.values()) {
      await console.step(`${service.name} ready on ${service.url}`, () => service.ready(60_000));
    }
    router.startSchedules();
    return { state, operatorKey, postgres, services, urlOf, objectStore, eventPublisherUrl, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startDatabase(
  options: PlatformOptions,
  state: PlatformState,
  stops: (() => Promise<void>)[],
): Promise<Postgres> {
  const postgres = await options.console.step('PostgreSQL', () =>
    startPostgres({ directory: state.postgres, persistent: true, durable: true, onLog: () => undefined }),
  );
  stops.push(() => postgres.stop());
  if (postgres.directory !== state.postgres) {
    const reason = "PostgreSQL's own account cannot enter a directory of root";
    options.console.line(`  The database is in ${postgres.directory}: ${reason}`);
  }
  await options.console.step('Schema migrated', () => migrateToLatest(postgres.ownerUrl));
  return postgres;
}

async function startObjectStore(
  options: PlatformOptions,
  state: PlatformState,
  stops: (() => Promise<void>)[],
): Promise<ObjectStoreLocation> {
  if (!options.isReal)
    return { url: pathToFileURL(state.objects).href, accessKeyId: '', secretAccessKey: '' };
  const server = await options.console.step('S3 server', () => startS3Server({ directory: state.s3 }));
  stops.push(() => server.stop());
  await server.createBucket(bucket);
  const query = new URLSearchParams({ endpoint: server.endpoint, region: server.region });
  return {
    url: `s3://${bucket}?${query}`,
    accessKeyId: server.accessKeyId,
    secretAccessKey: server.secretAccessKey,
  };
}

/** Without it each function counts its limits for itself. */
async function startCounters(
  options: PlatformOptions,
  stops: (() => Promise<void>)[],
): Promise<LocalRedis | undefined> {
  if (!options.isReal) return undefined;
  const redis = await options.console.step('Redis', startRedis);
  stops.push(redis.stop);
  return redis;
}

async function startTopics(
  options: PlatformOptions,
  state: PlatformState,
  manifests: Manifests,
  stops: (() => Promise<void>)[],
): Promise<{ log: TopicLog; kafkaUrl: string | undefined }> {
  if (!options.isReal) return { log: await openFileTopicLog(state.topics), kafkaUrl: undefined };
  const kafka = await options.console.step('Kafka', () => startKafka({ directory: state.kafka }));
  stops.push(() => kafka.stop());
  const topics = [
    ...manifests.kafkaSources.flatMap(({ spec }) => spec.topics),
    ...manifests.kafkaSinks.map(({ spec }) => spec.topic),
    // No function of ours reads it.
    'audit.decision',
  ];
  await kafka.createTopics(topics.map((topic) => ({ topic, partitions: 4 })));
  return {
    log: await openKafkaTopicLog({ brokers: kafka.brokers }),
    kafkaUrl: `kafka://${kafka.brokers.join(',')}`,
  };
}

function clusterObjects(input: {
  options: PlatformOptions;
  state: PlatformState;
  postgres: Postgres;
  urlOf: (service: string) => string;
  objectStore: ObjectStoreLocation;
  eventPublisherUrl: string;
  kafkaUrl: string | undefined;
  redis: LocalRedis | undefined;
}): ClusterObjects {
  const { postgres, urlOf, objectStore } = input;
  return {
    configMaps: {
      'uos-platform': {
        'issuer-url': urlOf('token'),
        'authorize-url': urlOf('authorize'),
        audience: 'urn:uos:platform',
        'internal-issuers': '',
        'audit-origin': 'uos.local',
        'object-store-url': objectStore.url,
        'key-wrapper-url': '',
        'event-publisher-url': input.eventPublisherUrl,
        // The topic file would keep for ever what nobody reads.
        'decision-stream-url': input.kafkaUrl ?? '',
        'redis-url': input.redis?.url ?? '',
        'jwks-max-age-seconds': '1',
        'signing-key-publish-lead-seconds': '2',
        'signing-key-rotation-interval-seconds': '2592000',
        'log-level': 'info',
        'otlp-endpoint': process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '',
        ...input.options.settings,
      },
    },
    secrets: {
      'uos-database': {
        'app-url': postgres.url('app'),
        'relay-url': postgres.url('relay'),
        'log-url': postgres.url('log'),
      },
      'uos-redis': { token: input.redis?.token ?? '' },
      'uos-object-store': {
        'access-key-id': objectStore.accessKeyId,
        'secret-access-key': objectStore.secretAccessKey,
      },
    },
    volumes: input.state.volumes,
  };
}

type StartServices = {
  readonly manifests: Manifests;
  readonly objects: ClusterObjects;
  readonly ports: ReadonlyMap<string, number>;
  readonly state: PlatformState;
};

function startServices(
  { manifests, objects, ports, state }: StartServices,
  console: ConsoleLines,
): Map<string, ServiceProcess> {
  const services = manifests.services.map((manifest) => {
    const { name } = manifest.metadata;
    const port = ports.get(name);
    if (port === undefined) throw new Error(`Service ${name} has no port`);
    return startService({
      name,
      port,
      script: join(state.functions, name, 'index.mjs'),
      workingDirectory: root,
      // No proxy stands in front of a process here.
      env: { ...environmentOf(manifest, objects), TRUSTED_HOPS: '0' },
      onLine: (line) => console.log(name, line),
    });
  });
  return new Map(services.map((service) => [service.name, service]));
}
