import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { spawnGuarded } from './guarded-process.ts';
import type { PostgresHome } from './postgres-home.ts';

const stopTimeoutMs = 60_000;

export const clusterOf = (home: PostgresHome) => join(home.directory, 'cluster');

/** One password for all roles of a server that only this machine reaches; kept beside the data it opens. */
export async function initialiseCluster(home: PostgresHome, onLog: (line: string) => void): Promise<string> {
  const passwordFile = join(home.directory, 'password');
  if (existsSync(join(clusterOf(home), 'initialised'))) return readFile(passwordFile, 'utf8');
  // A first start that was cut short leaves no mark, hence no data anyone relied on.
  await rm(clusterOf(home), { recursive: true, force: true });
  await mkdir(clusterOf(home), { mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  await writeFile(passwordFile, password, { mode: 0o600 });
  if (home.user) {
    for (const path of [clusterOf(home), passwordFile]) await chown(path, home.user.uid, home.user.gid);
  }
  await runInitdb(home, passwordFile, onLog);
  await writeFile(join(clusterOf(home), 'initialised'), '');
  return password;
}

async function runInitdb(home: PostgresHome, passwordFile: string, onLog: (line: string) => void) {
  const lines: string[] = [];
  const initdb = spawnGuarded({
    command: join(home.programs, 'bin', 'initdb'),
    args: [
      `--pgdata=${clusterOf(home)}`,
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
    env: postgresEnvironment,
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

export const postgresEnvironment = { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] ?? '/usr/bin:/bin' };

/**
 * A server whose parent was killed together with its guard may still hold the data. It is ours to stop only when its
 * command line names our data directory: process ids are reused.
 */
export async function stopOrphan(data: string): Promise<void> {
  const pid = Number((await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')[0]);
  const isOurs = async () =>
    pid > 0 && (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).includes(`\0${data}\0`);
  if (!(await isOurs())) return;
  process.kill(pid, 'SIGINT');
  const deadline = AbortSignal.timeout(stopTimeoutMs);
  while (await isOurs()) {
    deadline.throwIfAborted();
    await pause(50);
  }
}
