import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort } from './free-port.ts';
import { goTool } from './go-tool.ts';
import { type GuardedProcess, keepLast, spawnGuarded } from './guarded-process.ts';

export type S3Server = {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Makes the bucket unless it is there. */
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
};

const attemptsMax = 5;
const startTimeoutMs = 30_000;

/** The S3 server's program, built once into the tools' cache; undefined when it cannot be had. */
export function findS3Server(): Promise<string | undefined> {
  return goTool({
    name: 'versitygw',
    version: '1.8.0',
    module: 'github.com/versity/versitygw/cmd/versitygw',
  });
}

/** A real S3 server on 127.0.0.1 that keeps its buckets under `directory` and ends with this process. */
export async function startS3Server(options: { directory: string }): Promise<S3Server> {
  const program = await findS3Server();
  if (program === undefined)
    throw new Error('No S3 server: versitygw is neither cached nor could it be built');
  const buckets = join(options.directory, 'buckets');
  // Beside the objects, because not every file system has the extended attributes it would otherwise use.
  const metadata = join(options.directory, 'metadata');
  for (const path of [buckets, metadata]) await mkdir(path, { recursive: true });
  const access = { accessKeyId: 'local', secretAccessKey: randomBytes(24).toString('base64url') };
  let problem = '';
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const endpoint = `http://127.0.0.1:${await findFreePort()}`;
    const lines: string[] = [];
    const server = spawnGuarded({
      command: program,
      args: ['--port', new URL(endpoint).host, '--quiet', 'posix', '--sidecar', metadata, buckets],
      env: { ROOT_ACCESS_KEY: access.accessKeyId, ROOT_SECRET_KEY: access.secretAccessKey, TZ: 'UTC' },
      cwd: options.directory,
      stopSignal: 'SIGTERM',
      onLine: (line) => keepLast(lines, line),
    });
    if (await isReady(endpoint, server))
      return { endpoint, region: 'us-east-1', ...access, ...controls(server, buckets) };
    await server.stop();
    problem = lines.join('\n');
  }
  throw new Error(`The S3 server did not start:\n${problem}`);
}

function controls(server: GuardedProcess, buckets: string) {
  return {
    // versitygw's buckets are the directories it finds.
    createBucket: async (name: string) => {
      await mkdir(join(buckets, name), { recursive: true });
    },
    stop: () => server.stop(),
  };
}

/** Any answer will do: an unsigned request is refused by a server that is up. */
async function isReady(endpoint: string, server: GuardedProcess): Promise<boolean> {
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while (!hasEnded && !deadline.aborted) {
    const answer = await fetch(endpoint, { signal: deadline }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer !== undefined) return true;
    await pause(25);
  }
  return false;
}
