import fs from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import git, { type HttpClient } from 'isomorphic-git';
import { DeadlineError, fail, ok, type Result, withDeadline } from '../kernel/index.ts';
import { createGitHttpClient, GitHttpError } from './git-http-client.ts';
import type { CommitId, GitFailure, GitLimits, GitRepository, RepositoryAddress } from './git-repository.ts';
import { GitLimitError, readOrganizationTrees } from './read-organization-trees.ts';

export type IsomorphicGitOptions = {
  /** Packs are kept here while they are read, and nothing afterwards. */
  readonly cacheDirectory: string;
  readonly timeoutMs?: number;
  readonly limits?: Partial<GitLimits>;
};

const defaultLimits: GitLimits = {
  responseBytesMax: 64 * 1024 * 1024,
  organizationsMax: 50_000,
  filesMax: 200_000,
  fileBytesMax: 256 * 1024,
  totalBytesMax: 256 * 1024 * 1024,
};

/**
 * The smart HTTP protocol by isomorphic-git: one commit, no history, no work tree. The pack goes into a folder of
 * its own under `cacheDirectory` which is removed at the end, so that no run can be poisoned by another.
 */
export function createIsomorphicGitRepository(options: IsomorphicGitOptions): GitRepository {
  const limits = { ...defaultLimits, ...options.limits };
  const run = <T>(
    address: RepositoryAddress,
    work: (remote: Remote) => Promise<Result<T, GitFailure>>,
  ): Promise<Result<T, GitFailure>> => {
    const refusal = refuseUrl(address.url);
    if (refusal !== undefined) return Promise.resolve(fail(refusal));
    return withDeadline(
      { what: 'reading a Git repository', timeoutMs: options.timeoutMs ?? 60_000 },
      (signal) => work(toRemote(address, signal, limits)),
    ).catch((error: unknown) => fail(toGitFailure(error, limits)));
  };
  return {
    resolveRef: (input) => run(input, (remote) => resolveRef(remote, input.ref)),
    readTree: (input) =>
      run(input, async (remote) => {
        await mkdir(options.cacheDirectory, { recursive: true });
        const gitdir = await mkdtemp(join(options.cacheDirectory, 'git-'));
        try {
          const store = { fs, gitdir, cache: {} };
          const fetched = await fetchCommit(store, remote, input.commit);
          if (!fetched.ok) return fetched;
          return await readOrganizationTrees(store, {
            ...input,
            root: fetched.value,
            limits,
            signal: remote.signal,
          });
        } finally {
          await rm(gitdir, { recursive: true, force: true });
        }
      }),
  };
}

type Remote = {
  readonly url: string;
  readonly http: HttpClient;
  readonly signal: AbortSignal;
  readonly headers: () => Record<string, string>;
};
type ObjectStore = { readonly fs: typeof fs; readonly gitdir: string; readonly cache: object };

function toRemote({ url, authorization }: RepositoryAddress, signal: AbortSignal, limits: GitLimits): Remote {
  const { responseBytesMax } = limits;
  // Headers are made anew for each call: isomorphic-git writes into the object it is given.
  const headers = (): Record<string, string> =>
    authorization === undefined ? {} : { Authorization: authorization };
  return { url, headers, signal, http: createGitHttpClient({ signal, responseBytesMax }) };
}

function refuseUrl(text: string): GitFailure | undefined {
  const refuse = (message: string): GitFailure => ({ code: 'git.url_refused', message });
  if (!URL.canParse(text)) return refuse('the repository URL does not parse');
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'https:' && protocol !== 'http:')
    return refuse(`the scheme "${protocol}" is not http or https`);
  if (username !== '' || password !== '') return refuse('the repository URL must not carry credentials');
  return undefined;
}

async function resolveRef(remote: Remote, ref: string): Promise<Result<CommitId, GitFailure>> {
  const fullRef = ref.startsWith('refs/') ? ref : `refs/heads/${ref}`;
  const { http, url, headers } = remote;
  const refs = await git.listServerRefs({ http, url, headers: headers(), prefix: fullRef, peelTags: true });
  const found = refs.find((candidate) => candidate.ref === fullRef);
  return found === undefined ? fail({ code: 'git.ref_missing', ref }) : ok(found.peeled ?? found.oid);
}

/**
 * The root tree of the commit, once it is really there. A server that refuses the commit, or sends an empty pack,
 * still counts as a successful fetch for isomorphic-git (its issue 2435): only reading proves that it came.
 */
async function fetchCommit(
  store: ObjectStore,
  { http, url, headers }: Remote,
  commit: CommitId,
): Promise<Result<string, GitFailure>> {
  const missing: GitFailure = { code: 'git.commit_missing', commit };
  if (!/^[0-9a-f]{40}$/.test(commit)) return fail(missing);
  await git.init({ ...store, bare: true });
  await git.addRemote({ ...store, remote: 'origin', url });
  const options = { remoteRef: commit, depth: 1, singleBranch: true, tags: false };
  await git.fetch({ ...store, http, url, headers: headers(), ...options });
  try {
    return ok(await readRoot(store, commit));
  } catch (error) {
    if (error instanceof git.Errors.NotFoundError) return fail(missing);
    throw error;
  }
}

async function readRoot(store: ObjectStore, commit: CommitId): Promise<string> {
  const { commit: content } = await git.readCommit({ ...store, oid: commit });
  return (await git.readTree({ ...store, oid: content.tree })).oid;
}

function toGitFailure(error: unknown, limits: GitLimits): GitFailure {
  if (error instanceof DeadlineError) return { code: 'git.timed_out' };
  if (error instanceof GitLimitError)
    return { code: 'git.limit_exceeded', limit: error.limit, max: limits[error.limit] };
  if (error instanceof GitHttpError && error.reason === 'too_large') {
    return { code: 'git.limit_exceeded', limit: 'responseBytesMax', max: limits.responseBytesMax };
  }
  if (error instanceof git.Errors.HttpError) {
    const { statusCode } = error.data;
    if (statusCode === 401 || statusCode === 403) return { code: 'git.unauthorized' };
    if (statusCode === 404) return { code: 'git.repository_missing' };
  }
  return { code: 'git.unreachable', message: toReason(error) };
}

function toReason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
