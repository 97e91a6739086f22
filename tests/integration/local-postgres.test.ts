import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { startPostgres } from '../../knative/local/postgres.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-local-postgres-'));
  // Else root's servers, which run as another account, would keep their data elsewhere.
  await chmod(directory, 0o755);
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const start = (name: string) =>
  startPostgres({ directory: join(directory, name), persistent: true, durable: false, onLog: () => {} });

async function query(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}

async function serverPid(data: string): Promise<number> {
  return Number((await readFile(join(data, 'cluster', 'postmaster.pid'), 'utf8')).split('\n')[0]);
}

test('a restart keeps the data, also after the server was killed', async () => {
  const first = await start('restart');
  await query(first.ownerUrl, "create table kept as select 'before' as word");
  await first.stop();
  const second = await start('restart');
  await query(second.ownerUrl, "insert into kept values ('killed')");
  const pid = await serverPid(second.directory);
  process.kill(pid, 'SIGKILL');
  const third = await start('restart');
  expect(await query(third.ownerUrl, 'select word from kept order by word')).toEqual([
    { word: 'before' },
    { word: 'killed' },
  ]);
  await third.stop();
});

test('two servers run side by side', async () => {
  const [one, other] = await Promise.all([start('one'), start('other')]);
  await query(one.ownerUrl, 'create table only_here ()');
  expect(await query(other.ownerUrl, "select to_regclass('only_here') as found")).toEqual([{ found: null }]);
  await Promise.all([one.stop(), other.stop()]);
});

test('no role that functions or migrations use is above row-level security', async () => {
  const server = await start('one');
  for (const role of ['owner', 'app', 'relay', 'log'] as const) {
    const rows = await query(
      server.url(role),
      'select rolsuper or rolbypassrls as above from pg_roles where rolname = current_user',
    );
    expect(rows).toEqual([{ above: false }]);
  }
  await server.stop();
});

test.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)(
  'the server ends and its directory goes when its starter dies by %s',
  async (signal) => {
    const home = join(directory, signal);
    const module = join(import.meta.dirname, '..', '..', 'knative', 'local', 'postgres.ts');
    const script = `
      const { startPostgres } = await import(${JSON.stringify(module)});
      await startPostgres({ directory: ${JSON.stringify(home)}, persistent: false, durable: false, onLog() {} });
      console.log('up');`;
    const starter = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void starter.kill('SIGKILL'));
    await once(createInterface({ input: starter.stdout }), 'line');
    const pid = await serverPid(home);
    starter.kill(signal);
    const deadline = AbortSignal.timeout(30_000);
    while ((isAlive(pid) || existsSync(home)) && !deadline.aborted) await pause(20);
    expect({ isAlive: isAlive(pid), isKept: existsSync(home) }).toEqual({ isAlive: false, isKept: false });
  },
);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
