import git, { type HttpClient } from 'isomorphic-git';
import { DeadlineError, fail, ok, type Result, withDeadline } from '../kernel/index.ts';
import { createGitHttpClient, GitHttpError } from './git-http-client.ts';
import { createGitPackCache, lastFetchedRef, type ObjectStore } from './git-pack-cache.ts';
import type { CommitId, GitFailure, GitLimits, GitRepository, RepositoryAddress } from './git-repository.ts';
import { GitLimitError, readOrganizationTrees } from './read-organization-trees.ts';

export type IsomorphicGitOptions = {
  /** Keeps fetched packs; may be lost at any time, must not be shared between processes. */
  readonly cacheDirectory: string;
  /** For a whole call. On two busy cores the first read of 20 000 organizations takes 50 s, the next 0.3 s. */
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

/** The smart HTTP protocol by isomorphic-git: one commit at a time, no history, no work tree. */
export function createIsomorphicGitRepository(options: IsomorphicGitOptions): GitRepository {
  const limits = { ...defaultLimits, ...options.limits };
  const packs = createGitPackCache(options.cacheDirectory);
  const run = <T>(
    address: RepositoryAddress,
    work: (remote: Remote) => Promise<Result<T, GitFailure>>,
  ): Promise<Result<T, GitFailure>> => {
    const refusal = refuseUrl(address.url);
    if (refusal !== undefined) return Promise.resolve(fail(refusal));
    return withDeadline(
      { what: 'reading a Git repository', timeoutMs: options.timeoutMs ?? 300_000 },
      (signal) => work(toRemote(address, signal, limits)),
    ).catch((error: unknown) => fail(toGitFailure(error, limits)));
  };
  return {
    resolveRef: (input) => run(input, (remote) => resolveRef(remote, input.ref)),
    readTree: (input) =>
      run(input, (remote) =>
        packs.use(input.url, isDamage, async (store) => {
          const root = await fetchCommit(store, remote, input.commit);
          if (!root.ok) return root;
          const { signal } = remote;
          return readOrganizationTrees(store, { ...input, root: root.value, limits, signal });
        }),
      ),
  };
}

type Remote = {
  readonly url: string;
  readonly http: HttpClient;
  readonly signal: AbortSignal;
  readonly headers: () => Record<string, string>;
};

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
  // `ref` is what we have, `remoteRef` what we want. With a depth the server sends the whole tree whatever we have,
  // because isomorphic-git cannot take thin packs; so only a first read has one.
  const depth = store.isWarm ? {} : { depth: 1 };
  const options = { ref: lastFetchedRef, remoteRef: commit, singleBranch: true, tags: false, ...depth };
  await git.fetch({ ...store, http, url, headers: headers(), ...options });
  const read = await git.readCommit({ ...store, oid: commit }).catch((error: unknown) => {
    if (error instanceof git.Errors.NotFoundError) return undefined;
    throw error;
  });
  if (read === undefined) return fail(missing);
  const root = await git.readTree({ ...store, oid: read.commit.tree });
  await git.writeRef({ ...store, ref: lastFetchedRef, value: commit, force: true });
  return ok(root.oid);
}

/**
 * Whether a read without the kept packs may fare better: when they are corrupt, and when the branch was rewritten
 * so that the way from them is longer than the whole. Neither network nor server nor deadline is their fault.
 */
function isDamage(error: unknown): boolean {
  const isNetwork = error instanceof TypeError && error.message === 'fetch failed';
  const isAborted = error instanceof Error && error.name === 'AbortError';
  const isRedirect = error instanceof GitHttpError && error.reason === 'redirected';
  const refusals = [GitLimitError, git.Errors.HttpError, git.Errors.SmartHttpError];
  return !isNetwork && !isAborted && !isRedirect && !refusals.some((refusal) => error instanceof refusal);
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
