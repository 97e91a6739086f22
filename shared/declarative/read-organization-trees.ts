import git, { type TreeEntry } from 'isomorphic-git';
import { fail, ok, type Result } from '../kernel/index.ts';
import { isDnsLabel } from './document-schema.ts';
import { type Fault, quote, startOf, toFault } from './fault.ts';
import type { ObjectStore } from './git-pack-cache.ts';
import type { CommitId, GitFailure, GitLimits, OrganizationTree, RepositoryTree } from './git-repository.ts';
import type { SourceFile } from './read-yaml.ts';

/** Thrown from deep inside the walk and turned into `git.limit_exceeded` by the adapter. */
export class GitLimitError extends Error {
  override readonly name = 'GitLimitError';
  readonly limit: keyof GitLimits;
  constructor(limit: keyof GitLimits) {
    super(`the limit ${limit} is exceeded`);
    this.limit = limit;
  }
}

type Walk = {
  readonly store: ObjectStore;
  readonly limits: GitLimits;
  readonly signal: AbortSignal;
  readonly spent: { organizations: number; files: number; bytes: number };
};

/**
 * Walks trees and reads blobs by id. Threat: links, submodules and odd modes lead out of the repository when they
 * are checked out; here they are entries with a mode that is not a regular file's, and become faults.
 */
export async function readOrganizationTrees(
  store: ObjectStore,
  input: {
    commit: CommitId;
    root: string;
    under: string;
    unchangedTreeOids?: ReadonlyMap<string, string>;
    limits: GitLimits;
    signal: AbortSignal;
  },
): Promise<Result<RepositoryTree, GitFailure>> {
  const { commit, limits, signal, unchangedTreeOids } = input;
  const walk: Walk = { store, limits, signal, spent: { organizations: 0, files: 0, bytes: 0 } };
  const folder = input.under.split('/').filter((segment) => segment !== '');
  const path = folder.join('/');
  const oid = await findTree(walk, input.root, folder);
  if (oid === undefined) return fail({ code: 'git.path_missing', path });
  const unchanged: string[] = [];
  const faults: Fault[] = [];
  const changed: TreeEntry[] = [];
  for (const entry of await listEntries(walk, oid)) {
    if (isRegularFile(entry)) continue;
    if (!isDnsLabel(entry.path)) {
      const message = `the folder name ${quote(entry.path)} is not a DNS label, so no organization`;
      faults.push(toFault(startOf(`${path}/${entry.path}`), message));
    } else if (unchangedTreeOids?.get(entry.path) === entry.oid) unchanged.push(entry.path);
    else changed.push(entry);
  }
  const organizations = await mapInBatches(changed, (entry) => {
    spend(walk, 'organizations', 1);
    return readOrganization(walk, entry, `${path}/${entry.path}`);
  });
  return ok({ commit, organizations, unchanged, faults });
}

// Each read waits for the disk several times: 64 side by side are four times as fast as one after the other.
const batchSize = 64;

async function mapInBatches<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  for (let start = 0; start < items.length; start += batchSize) {
    results.push(...(await Promise.all(items.slice(start, start + batchSize).map(work))));
  }
  return results;
}

async function findTree(walk: Walk, root: string, folder: readonly string[]): Promise<string | undefined> {
  let oid = root;
  for (const segment of folder) {
    const entries = await listEntries(walk, oid);
    const next = entries.find((entry) => entry.path === segment && entry.type === 'tree');
    if (next === undefined) return undefined;
    oid = next.oid;
  }
  return oid;
}

async function readOrganization(walk: Walk, folder: TreeEntry, path: string): Promise<OrganizationTree> {
  const files: SourceFile[] = [];
  const faults: Fault[] = [];
  const refuse = (at: string, message: string) => faults.push(toFault(startOf(at), message));
  if (folder.type !== 'tree') refuse(path, 'is a link or a submodule, not a folder');
  const entries = folder.type === 'tree' ? await listEntries(walk, folder.oid) : [];
  for (const entry of entries) {
    const at = `${path}/${entry.path}`;
    if (!isRegularFile(entry)) refuse(at, 'is not a regular file; links and folders are not read');
    else if (/\.ya?ml$/.test(entry.path)) {
      const text = await readText(walk, entry.oid);
      if (typeof text === 'string') files.push({ path: at, text });
      else refuse(at, text.refusal);
    }
  }
  return { slug: folder.path, treeOid: folder.oid, files, faults };
}

async function readText(walk: Walk, oid: string): Promise<string | { refusal: string }> {
  spend(walk, 'files', 1);
  const { blob } = await git.readBlob({ ...walk.store, oid });
  if (blob.byteLength > walk.limits.fileBytesMax) {
    return { refusal: `the file is larger than ${walk.limits.fileBytesMax} bytes` };
  }
  spend(walk, 'bytes', blob.byteLength);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(blob);
  } catch {
    return { refusal: 'the file is not UTF-8' };
  }
}

const limitOf = { organizations: 'organizationsMax', files: 'filesMax', bytes: 'totalBytesMax' } as const;

function spend(walk: Walk, what: keyof Walk['spent'], amount: number): void {
  walk.spent[what] += amount;
  if (walk.spent[what] > walk.limits[limitOf[what]]) throw new GitLimitError(limitOf[what]);
}

async function listEntries({ store, signal }: Walk, oid: string): Promise<TreeEntry[]> {
  signal.throwIfAborted();
  return (await git.readTree({ ...store, oid })).tree;
}

function isRegularFile(entry: TreeEntry): boolean {
  return entry.type === 'blob' && (entry.mode === '100644' || entry.mode === '100755');
}
