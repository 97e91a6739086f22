import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { findFreePort } from './free-port.ts';
import { type GuardedProcess, keepLast, spawnGuarded } from './guarded-process.ts';
import { findKafka } from './kafka-program.ts';

export { findKafka } from './kafka-program.ts';

export type KafkaServer = {
  /** `host:port`, as `kafka://` URLs and clients take it. */
  readonly brokers: readonly string[];
  /** Makes the topics that are not there yet. Publishers make none, so that a misspelt topic is an error. */
  createTopics(topics: readonly { topic: string; partitions: number }[]): Promise<void>;
  stop(): Promise<void>;
};

const attemptsMax = 3;
const startTimeoutMs = 90_000;
// One node on a machine shared with everything else: a small heap, and the compiler that starts fastest.
const javaOptions = ['-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

/** A real Kafka, one KRaft node on 127.0.0.1 that keeps its log under `directory` and ends with this process. */
export async function startKafka(options: { directory: string; port?: number }): Promise<KafkaServer> {
  const jars = await findKafka();
  if (jars === undefined) throw new Error('No Kafka: its jars are neither cached nor could they be fetched');
  await mkdir(options.directory, { recursive: true });
  let problem = '';
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const port = options.port ?? (await findFreePort());
    const properties = await writeProperties(options.directory, port, await findFreePort());
    await formatOnce(options.directory, jars, properties);
    const java = runJava(options.directory, jars, ['kafka.Kafka', properties]);
    const broker = `127.0.0.1:${port}`;
    if (await isReady(broker, java.process)) {
      const createTopics: KafkaServer['createTopics'] = (topics) => addTopics(broker, topics);
      return { brokers: [broker], createTopics, stop: () => java.process.stop() };
    }
    await java.process.stop();
    problem = java.lines.join('\n');
  }
  throw new Error(`Kafka did not start:\n${problem}`);
}

async function writeProperties(directory: string, port: number, controllerPort: number): Promise<string> {
  const path = join(directory, 'server.properties');
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(directory, 'log'),
    'auto.create.topics.enable': false,
    // One node has no second copy to offer.
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'transaction.state.log.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}\n`);
  await writeFile(path, lines.join(''));
  return path;
}

/** Gives the log its cluster id; a log that has one keeps it and its data. */
async function formatOnce(directory: string, jars: string, properties: string): Promise<void> {
  if (existsSync(join(directory, 'log', 'meta.properties'))) return;
  // 16 bytes in base64url; a first "-" would read as an option.
  const id = randomBytes(16).toString('base64url').replace(/^-/, 'A');
  await finish(runJava(directory, jars, ['kafka.tools.StorageTool', 'format', '-t', id, '-c', properties]));
}

type Java = { process: GuardedProcess; lines: string[] };

function runJava(directory: string, jars: string, args: readonly string[]): Java {
  const lines: string[] = [];
  const guarded = spawnGuarded({
    command: 'java',
    args: [...javaOptions, '-cp', join(jars, '*'), ...args],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', TZ: 'UTC' },
    cwd: directory,
    stopSignal: 'SIGTERM',
    onLine: (line) => keepLast(lines, line),
  });
  return { process: guarded, lines };
}

async function finish(java: Java): Promise<void> {
  const end = await java.process.ended;
  await java.process.stop();
  if (end !== 'exit code 0') throw new Error(`Kafka's set-up ended with ${end}:\n${java.lines.join('\n')}`);
}

/** An open port is not enough: ready means that the node answers as a cluster that has a controller. */
async function isReady(broker: string, server: GuardedProcess): Promise<boolean> {
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while (!hasEnded && !deadline.aborted) {
    const cluster = await withAdmin(broker, (admin) => admin.describeCluster()).catch(() => undefined);
    if (cluster !== undefined && cluster.brokers.length > 0 && cluster.controller !== null) return true;
    await pause(100);
  }
  return false;
}

async function addTopics(broker: string, wanted: readonly { topic: string; partitions: number }[]) {
  await withAdmin(broker, async (admin) => {
    const present = new Set(await admin.listTopics());
    const topics = wanted
      .filter(({ topic }) => !present.has(topic))
      .map(({ topic, partitions }) => ({ topic, numPartitions: partitions, replicationFactor: 1 }));
    if (topics.length > 0) await admin.createTopics({ topics, waitForLeaders: true });
  });
}

async function withAdmin<T>(broker: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const client = new Kafka({ brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 0 } });
  const admin = client.admin();
  try {
    await admin.connect();
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}
