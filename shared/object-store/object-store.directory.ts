import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { invariant, type Random } from '../kernel/index.ts';
import { isObjectKey, requireObjectKey } from './object-key.ts';
import { checkPageRequest, toObjectPage } from './object-page.ts';
import { type ObjectStore, ObjectStoreError, objectBytesMax } from './object-store.ts';

/** The object store of one machine: a file per object. Content types are not kept; nothing here asks for them. */
export function createDirectoryObjectStore(directory: string, deps: { random: Random }): ObjectStore {
  const root = resolve(directory);
  const pathOf = (key: string) => {
    requireObjectKey(key);
    return join(root, key);
  };
  return {
    put: (key, bytes) => {
      invariant(bytes.byteLength <= objectBytesMax, `object "${key}" has ${bytes.byteLength} bytes`);
      return attempt('write', key, () => writeDurably(pathOf(key), bytes, deps.random));
    },
    get: (key) => attempt('read', key, () => unlessAbsent(() => readBounded(pathOf(key)))),
    delete: (key) => attempt('delete', key, () => removeDurably(pathOf(key))),
    list: (prefix, page = {}) =>
      attempt('list', prefix, async () => {
        const { after, limit } = checkPageRequest(prefix, page);
        const keys = (await keysUnder(root, prefix)).filter((key) => key > after).sort();
        return toObjectPage(keys.slice(0, limit), keys.length <= limit);
      }),
  };
}

/** A rename is atomic; the file is on disk before it and the name after it. */
async function writeDurably(path: string, bytes: Uint8Array, random: Random): Promise<void> {
  const created = await mkdir(dirname(path), { recursive: true });
  const temporary = join(dirname(path), `.writing-${Buffer.from(random.bytes(12)).toString('hex')}`);
  try {
    const file = await open(temporary, 'wx', 0o644);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectories(dirname(path), created === undefined ? dirname(path) : dirname(created));
}

/** From the innermost up to the first that was there before: each holds the name of the one below. */
async function syncDirectories(innermost: string, outermost: string): Promise<void> {
  for (let at = innermost; ; at = dirname(at)) {
    const directory = await open(at, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    if (at === outermost) return;
  }
}

async function readBounded(path: string): Promise<Uint8Array | undefined> {
  const { size } = await stat(path);
  if (size > objectBytesMax) throw new Error(`it has ${size} bytes`);
  return new Uint8Array(await readFile(path));
}

async function removeDurably(path: string): Promise<void> {
  await unlessAbsent(async () => {
    await rm(path);
    await syncDirectories(dirname(path), dirname(path));
  });
}

/** Only the folder that the prefix names is walked. */
async function keysUnder(root: string, prefix: string): Promise<string[]> {
  const folder = join(root, prefix.slice(0, prefix.lastIndexOf('/') + 1));
  const entries = await unlessAbsent(() => readdir(folder, { recursive: true, withFileTypes: true }));
  return (entries ?? [])
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((key) => isObjectKey(key) && key.startsWith(prefix));
}

const absentCodes = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

async function unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error && absentCodes.has(String(error.code))) return undefined;
    throw error;
  }
}

async function attempt<T>(verb: string, key: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'InvariantError') throw cause;
    throw new ObjectStoreError(`Could not ${verb} object "${key}"`, { cause });
  }
}
