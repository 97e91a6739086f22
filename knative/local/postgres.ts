import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from './free-port.ts';
import { type GuardedProcess, keepLast, spawnGuarded } from './guarded-process.ts';
import { clusterOf, initialiseCluster, postgresEnvironment, stopOrphan } from './postgres-cluster.ts';
import { findPostgresHome, type PostgresHome } from './postgres-home.ts';
import { createRoles } from './postgres-roles.ts';

export type PostgresRole = 'owner' | 'app' | 'relay' | 'log';

export type Postgres = {
  /** Where the data is: as root not always the directory asked for, see postgres-home.ts. */
  readonly directory: string;
  /** Owns the schema and runs migrations; no superuser, as on managed PostgreSQL. */
  readonly ownerUrl: string;
  /** May create and drop databases; for tests and tools only. */
  readonly superuserUrl: string;
  url(role: PostgresRole, database?: string): string;
  stop(): Promise<void>;
};

export type PostgresOptions = {
  directory: string;
  /** False: the directory is removed when the server stops or this process dies. */
  persistent: boolean;
  port?: number;
  /** False: no fsync. A crash of the machine, not of the server, may then lose the data. */
  durable: boolean;
  /** Further settings, as `name=value`. */
  settings?: readonly string[];
  onLog(line: string): void;
};

const databaseName = 'uos';
const attemptsMax = 5;
const startTimeoutMs = 60_000;
const notDurable = ['fsync=off', 'full_page_writes=off'];

/**
 * A real PostgreSQL on 127.0.0.1 for one machine: initialised on first use, restarted on the same data after
 * that. It ends with this process, however that ends.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const home = await findPostgresHome(options.directory);
  await mkdir(home.directory, { recursive: true });
  // The server's account must pass through; the password and the data inside stay closed to others.
  if (home.user) await chmod(home.directory, 0o711);
  const password = await initialiseCluster(home, options.onLog);
  await stopOrphan(clusterOf(home));
  const { port, server } = await startOnFreePort(home, options);
  const url = (user: string, database = databaseName) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const superuserUrl = url('postgres', 'postgres');
  await createRoles({ superuserUrl, password, databaseName });
  return {
    directory: home.directory,
    superuserUrl,
    ownerUrl: url('owner_login'),
    url: (role, database) => url(`${role}_login`, database),
    stop: async () => {
      await server.stop();
      if (options.persistent) return;
      for (const path of [home.directory, options.directory])
        await rm(path, { recursive: true, force: true });
    },
  };
}

async function startOnFreePort(
  home: PostgresHome,
  options: PostgresOptions,
): Promise<{ port: number; server: GuardedProcess }> {
  let problem = '';
  for (let attempt = 1; attempt <= (options.port === undefined ? attemptsMax : 1); attempt++) {
    const port = options.port ?? (await findFreePort());
    const started = await startServer(home, port, options);
    if (typeof started !== 'string') return { port, server: started };
    problem = started;
  }
  throw new Error(`PostgreSQL did not start in "${home.directory}": ${problem}`);
}

async function startServer(
  home: PostgresHome,
  port: number,
  options: PostgresOptions,
): Promise<GuardedProcess | string> {
  const recent: string[] = [];
  const ready = Promise.withResolvers<'ready'>();
  const settings = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    'unix_socket_directories=',
    'max_connections=200',
    'lc_messages=C',
    ...(options.durable ? [] : notDurable),
    ...(options.settings ?? []),
  ];
  const server = spawnGuarded({
    command: join(home.programs, 'bin', 'postgres'),
    args: ['-D', clusterOf(home), ...settings.flatMap((setting) => ['-c', setting])],
    env: postgresEnvironment,
    // Fast shutdown: open transactions are rolled back, the data is checkpointed.
    stopSignal: 'SIGINT',
    ...(home.user && { user: home.user }),
    ...(options.persistent ? {} : { removeDirectory: home.directory }),
    onLine: (line) => {
      keepLast(recent, line);
      options.onLog(line);
      if (line.includes('database system is ready to accept connections')) ready.resolve('ready');
    },
  });
  const timer = setTimeout(() => void server.stop(), startTimeoutMs);
  const first = await Promise.race([ready.promise, server.ended]);
  clearTimeout(timer);
  return first === 'ready' ? server : `${first}\n${recent.join('\n')}`;
}
