import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { toolCache } from './tool-cache.ts';

const run = promisify(execFile);
const downloadTimeoutMs = 300_000;

/** `environment`: what the program needs to find its libraries. */
export type RedisProgram = { readonly path: string; readonly environment: Readonly<Record<string, string>> };

/**
 * redis-server: the one on PATH, else Debian's packages unpacked into the tools' cache. Unpacked and not installed:
 * that needs no root, and no second Redis starts as a service of the machine. Undefined, with the reason on stderr,
 * where neither can be had; in CI that throws instead.
 */
export async function findRedis(): Promise<RedisProgram | undefined> {
  const onPath: RedisProgram = { path: 'redis-server', environment: {} };
  if (await runs(onPath)) return onPath;
  try {
    const target = join(toolCache(), `redis-server@${await releaseName()}`);
    if (!existsSync(target)) await unpackInto(target);
    const program = await programIn(target);
    if (!(await runs(program))) throw new Error(`${program.path} does not run`);
    return program;
  } catch (error) {
    if (process.env['CI']) throw new Error('redis-server could not be had', { cause: error });
    process.stderr.write(
      `redis-server is not available: ${error instanceof Error ? error.message : error}\n`,
    );
    return undefined;
  }
}

async function runs({ path, environment }: RedisProgram): Promise<boolean> {
  return run(path, ['--version'], { env: { ...process.env, ...environment }, timeout: 10_000 }).then(
    ({ stdout }) => stdout.startsWith('Redis server'),
    () => false,
  );
}

async function programIn(directory: string): Promise<RedisProgram> {
  const libraries = new Set<string>();
  for await (const file of glob('**/*.so.*', { cwd: directory }))
    libraries.add(join(directory, dirname(file)));
  return {
    path: join(directory, 'usr/bin/redis-server'),
    environment: { LD_LIBRARY_PATH: [...libraries].join(':') },
  };
}

/** Unpacked beside the target and renamed: a half-filled folder is never found, and two runs at once do no harm. */
async function unpackInto(target: string): Promise<void> {
  process.stderr.write(`unpacking Debian's redis-server into ${target} (once; it stays in the cache)\n`);
  await mkdir(dirname(target), { recursive: true });
  const scratch = await mkdtemp(`${target}.fetching-`);
  try {
    await download(scratch).catch(() => downloadWithOwnLists(scratch));
    await mkdir(join(scratch, 'root'));
    for await (const file of glob('*.deb', { cwd: scratch })) {
      await run('dpkg', ['--extract', join(scratch, file), join(scratch, 'root')]);
    }
    await rename(join(scratch, 'root'), target).catch((error: unknown) => {
      if (!existsSync(target)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Where the machine has no package lists, as in a fresh container image: lists of our own, which need no root. */
async function downloadWithOwnLists(directory: string): Promise<void> {
  const lists = await mkdtemp(join(directory, 'lists-'));
  await mkdir(join(lists, 'partial'));
  const options = ['-o', `Dir::State::lists=${lists}`, '-o', `Dir::Cache=${lists}`];
  await run('apt-get', [...options, 'update'], { timeout: downloadTimeoutMs });
  await download(directory, options);
}

/** The packages that an installation would add to this machine. */
async function download(directory: string, options: readonly string[] = []): Promise<void> {
  const simulate = [...options, 'install', '--simulate', '--no-install-recommends', 'redis-server'];
  const { stdout } = await run('apt-get', simulate, { timeout: downloadTimeoutMs });
  const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].map(([, name]) => name ?? '');
  if (packages.length === 0) throw new Error('apt-get names no package to fetch for redis-server');
  await run('apt-get', [...options, 'download', ...packages], { cwd: directory, timeout: downloadTimeoutMs });
}

/** `bookworm`, say: another release has another build. */
async function releaseName(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8');
  return /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] ?? 'unknown';
}
