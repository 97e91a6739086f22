import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { findFreePort } from './free-port.ts';
import { type GuardedProcess, keepLast, spawnGuarded } from './guarded-process.ts';
import { findRedis } from './redis-program.ts';

export { findRedis } from './redis-program.ts';

export type RedisServer = {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly password: string;
  readonly pid: number;
  stop(): Promise<void>;
};

const attemptsMax = 5;
const startTimeoutMs = 30_000;

/** A real Redis on 127.0.0.1 that keeps nothing on disk and ends with this process. A given port is kept to. */
export async function startRedisServer(
  options: { port?: number; password?: string } = {},
): Promise<RedisServer> {
  const program = await findRedis();
  if (program === undefined) throw new Error('No redis-server: not on PATH, nor could it be unpacked');
  const password = options.password ?? randomBytes(24).toString('base64url');
  let problem = '';
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const port = options.port ?? (await findFreePort());
    const directory = await mkdtemp(join(tmpdir(), 'uos-redis-'));
    const lines: string[] = [];
    const server = spawnGuarded({
      command: program.path,
      args: [await writeSettings(directory, port, password)],
      env: { ...program.environment, TZ: 'UTC' },
      cwd: directory,
      stopSignal: 'SIGTERM',
      removeDirectory: directory,
      onLine: (line) => keepLast(lines, line),
    });
    const stop = async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    };
    if (await isReady(port, password, server)) {
      return { host: '127.0.0.1', port, password, pid: server.pid, stop };
    }
    await stop();
    problem = lines.join('\n');
  }
  throw new Error(`redis-server did not start:\n${problem}`);
}

/** In a file, as arguments can be read by every user of the machine. */
async function writeSettings(directory: string, port: number, password: string): Promise<string> {
  const path = join(directory, 'redis.conf');
  const settings = [
    'bind 127.0.0.1',
    `port ${port}`,
    `requirepass ${password}`,
    'save ""',
    'appendonly no',
    `dir ${directory}`,
    'maxmemory 64mb',
    'maxmemory-policy volatile-ttl',
  ];
  await writeFile(path, `${settings.join('\n')}\n`, { mode: 0o600 });
  return path;
}

/** An open port may be somebody else's: ready is who takes our password. */
async function isReady(port: number, password: string, server: GuardedProcess): Promise<boolean> {
  let hasEnded = false;
  void server.ended.then(() => {
    hasEnded = true;
  });
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while (!hasEnded && !deadline.aborted) {
    if (await takesPassword(port, password)) return true;
    await pause(10);
  }
  return false;
}

function takesPassword(port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 1_000 });
    const end = (isReady: boolean) => {
      socket.destroy();
      resolve(isReady);
    };
    socket.once('connect', () => socket.write(`AUTH ${password}\r\n`));
    socket.once('data', (reply) => end(reply.toString().startsWith('+OK')));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
