import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import git from 'isomorphic-git';

/** What isomorphic-git needs to find objects. */
export type ObjectStore = {
  readonly fs: typeof fs;
  readonly gitdir: string;
  /** Parsed indexes, for the length of one read. */
  readonly cache: object;
  /** Whether `lastFetchedRef` stands for a commit whose objects are all here. */
  readonly isWarm: boolean;
};

/** The commit that was fetched last: its objects need not be sent again. */
export const lastFetchedRef = 'refs/uos/last-fetched';

// Each fetch adds a pack and each object is looked up in all of them; past this, one full fetch is cheaper.
const packsMax = 200;

export type GitPackCache = {
  /**
   * Runs the work on the repository's folder, one at a time for each URL. When a warm folder may be why it threw, as
   * `isDamage` judges, the folder is thrown away and the work runs once more on an empty one.
   */
  use<T>(
    url: string,
    isDamage: (error: unknown) => boolean,
    work: (store: ObjectStore) => Promise<T>,
  ): Promise<T>;
};

/**
 * Packs stay between reads, so that a change of one organization among 20 000 costs one small pack and not the
 * whole. Nothing in here is trusted: ids are computed from content, and the server is asked before each read.
 * The folder belongs to one process.
 */
export function createGitPackCache(directory: string): GitPackCache {
  const queues = new Map<string, Promise<unknown>>();
  return {
    use: (url, isDamage, work) => {
      const gitdir = join(directory, createHash('sha256').update(url).digest('hex').slice(0, 32));
      const result = (queues.get(gitdir) ?? Promise.resolve()).then(async () => {
        if ((await countPacks(gitdir)) > packsMax) await discard(gitdir);
        const store = await openStore(gitdir, url);
        return work(store).catch(async (error: unknown) => {
          if (!store.isWarm || !isDamage(error)) throw error;
          await discard(gitdir);
          return work(await openStore(gitdir, url));
        });
      });
      queues.set(
        gitdir,
        result.catch(() => undefined),
      );
      return result;
    },
  };
}

async function openStore(gitdir: string, url: string): Promise<ObjectStore> {
  const store = { fs, gitdir, cache: {} };
  await mkdir(gitdir, { recursive: true });
  await git.init({ ...store, bare: true });
  await git.addRemote({ ...store, remote: 'origin', url, force: true });
  const isWarm = await git.resolveRef({ ...store, ref: lastFetchedRef }).then(
    () => true,
    () => false,
  );
  return { ...store, isWarm };
}

async function countPacks(gitdir: string): Promise<number> {
  const names = await readdir(join(gitdir, 'objects', 'pack')).catch(() => []);
  return names.filter((name) => name.endsWith('.pack')).length;
}

function discard(gitdir: string): Promise<void> {
  return rm(gitdir, { recursive: true, force: true });
}
