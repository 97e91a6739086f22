import { randomBytes } from 'node:crypto';
import { access, chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, escapeLiteral } from 'pg';
import { findFreePort } from './free-port.ts';
import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';
import { findPostgresHome, type PostgresHome } from './postgres-home.ts';

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
  onLog(line: string): void;
};

const databaseName = 'uos';
const attemptsMax = 5;
const startTimeoutMs = 60_000;
const notDurable = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off'];

/**
 * A real PostgreSQL on 127.0.0.1 for one machine: initialised on first use, restarted on the same data after
 * that. It ends with this process, however that ends.
 */
export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const home = await findPostgresHome(options.directory);
  await mkdir(home.directory, { recursive: true });
  // The server's account must pass through; the password and the data inside stay closed to others.
  if (home.user) await chmod(home.directory, 0o711);
  const password = await initialise(home, options.onLog);
  await stopOrphan(dataOf(home));
  const { port, server } = await startOnFreePort(home, options);
  const url = (user: string, database = databaseName) =>
    `postgres://${user}:${password}@127.0.0.1:${port}/${database}`;
  const superuserUrl = url('postgres', 'postgres');
  await createRoles(superuserUrl, password);
  return {
    directory: home.directory,
    superuserUrl,
    ownerUrl: url('owner_login'),
    url: (role, database) => url(`${role}_login`, database),
    stop: async () => {
      await server.stop();
      if (!options.persistent) await rm(home.directory, { recursive: true, force: true });
    },
  };
}

const dataOf = (home: PostgresHome) => join(home.directory, 'cluster');

/** One password for all roles of a server that only this machine reaches; kept beside the data it opens. */
async function initialise(home: PostgresHome, onLog: PostgresOptions['onLog']): Promise<string> {
  const passwordFile = join(home.directory, 'password');
  if (await exists(join(dataOf(home), 'initialised'))) return readFile(passwordFile, 'utf8');
  // A first start that was cut short leaves no mark, hence no data anyone relied on.
  await rm(dataOf(home), { recursive: true, force: true });
  await mkdir(dataOf(home), { mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (home.user) {
    for (const path of [dataOf(home), passwordFile]) await chown(path, home.user.uid, home.user.gid);
  }
  await runInitdb(home, passwordFile, onLog);
  await writeFile(join(dataOf(home), 'initialised'), '');
  return password;
}

async function runInitdb(home: PostgresHome, passwordFile: string, onLog: PostgresOptions['onLog']) {
  const lines: string[] = [];
  const initdb = spawnGuarded({
    command: join(home.programs, 'bin', 'initdb'),
    args: [
      `--pgdata=${dataOf(home)}`,
      '--username=postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The builtin provider sorts alike on every machine, whatever locales it has.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
    ],
    env: environment,
    stopSignal: 'SIGTERM',
    ...(home.user && { user: home.user }),
    onLine: (line) => {
      lines.push(line);
      onLog(line);
    },
  });
  const end = await initdb.ended;
  await initdb.stop();
  if (end !== 'exit code 0') throw new Error(`initdb ended with ${end}:\n${lines.join('\n')}`);
}

const environment = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

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
  ];
  const server = spawnGuarded({
    command: join(home.programs, 'bin', 'postgres'),
    args: ['-D', dataOf(home), ...settings.flatMap((setting) => ['-c', setting])],
    env: environment,
    // Fast shutdown: open transactions are rolled back, the data is checkpointed.
    stopSignal: 'SIGINT',
    ...(home.user && { user: home.user }),
    ...(options.persistent ? {} : { removeDirectory: home.directory }),
    onLine: (line) => {
      recent.splice(0, recent.length - 19, line);
      options.onLog(line);
      if (line.includes('database system is ready to accept connections')) ready.resolve('ready');
    },
  });
  const timer = setTimeout(() => void server.stop(), startTimeoutMs);
  const first = await Promise.race([ready.promise, server.ended]);
  clearTimeout(timer);
  return first === 'ready' ? server : `${first}\n${recent.join('\n')}`;
}

/**
 * A server whose parent was killed together with its guard may still hold the data. It is ours to stop only when its
 * command line names our data directory: process ids are reused.
 */
async function stopOrphan(data: string): Promise<void> {
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);
  const isOurs = async () =>
    pid > 0 && (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(`\0${data}\0`);
  if (!(await isOurs())) return;
  process.kill(pid, 'SIGINT');
  const deadline = AbortSignal.timeout(startTimeoutMs);
  while (await isOurs()) {
    deadline.throwIfAborted();
    await pause(50);
  }
}

/**
 * The login roles of one machine. In a cluster the operator makes them; migrations make only the group roles,
 * which hold the grants.
 */
async function createRoles(superuserUrl: string, password: string): Promise<void> {
  const secret = escapeLiteral(password);
  await withClient(superuserUrl, async (client) => {
    const names = async (table: string, column: string) =>
      new Set((await client.query(`select ${column} as name from ${table}`)).rows.map((row) => row.name));
    const roles = await names('pg_roles', 'rolname');
    for (const role of ['app', 'relay', 'log']) {
      if (!roles.has(`uos_${role}`)) await client.query(`create role uos_${role} nologin noinherit`);
      if (roles.has(`${role}_login`)) continue;
      await client.query(`create role ${role}_login login password ${secret} in role uos_${role}`);
    }
    if (!roles.has('owner_login')) {
      await client.query(`create role owner_login login createrole createdb password ${secret}`);
    }
    const databases = await names('pg_database', 'datname');
    if (!databases.has(databaseName)) {
      await client.query(`create database ${databaseName} owner owner_login`);
    }
  });
}

async function withClient(url: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
