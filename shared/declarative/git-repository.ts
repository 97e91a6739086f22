import type { Result } from '../kernel/index.ts';
import type { Fault } from './fault.ts';
import type { SourceFile } from './read-yaml.ts';

export type CommitId = string;

export type GitFailure =
  /** Not http(s), carries credentials, or does not parse. */
  | { readonly code: 'git.url_refused'; readonly message: string }
  | { readonly code: 'git.unauthorized' }
  | { readonly code: 'git.repository_missing' }
  | { readonly code: 'git.ref_missing'; readonly ref: string }
  | { readonly code: 'git.commit_missing'; readonly commit: CommitId }
  /** The commit has no such folder. It says nothing about the organizations: an emptied repository removes none. */
  | { readonly code: 'git.path_missing'; readonly path: string }
  | { readonly code: 'git.limit_exceeded'; readonly limit: keyof GitLimits; readonly max: number }
  /** Both may pass by themselves: try again later. */
  | { readonly code: 'git.timed_out' }
  | { readonly code: 'git.unreachable'; readonly message: string };

export type GitLimits = {
  /** Of one response of the server: in effect of the pack, which is held in memory. */
  readonly responseBytesMax: number;
  readonly organizationsMax: number;
  readonly filesMax: number;
  readonly fileBytesMax: number;
  readonly totalBytesMax: number;
};

export type RepositoryAddress = {
  readonly url: string;
  /** The value of the Authorization header, for example `Bearer ...`. */
  readonly authorization?: string;
};

export type OrganizationTree = {
  readonly slug: string;
  /** Changes exactly when anything in the folder does: remember it to skip the folder next time. */
  readonly treeOid: string;
  readonly files: readonly SourceFile[];
  /** Entries that were not read (symbolic links, folders, oversized or non-UTF-8 files): hand on to the parser. */
  readonly faults: readonly Fault[];
};

export type RepositoryTree = {
  readonly commit: CommitId;
  readonly organizations: readonly OrganizationTree[];
  /** Slugs whose tree is the one given in `unchangedTreeOids`; they exist, but were not read. */
  readonly unchanged: readonly string[];
  /** Folders that cannot be organizations, such as names that are no DNS label. */
  readonly faults: readonly Fault[];
};

/**
 * Reads declarations out of a Git repository without ever checking them out. Nothing read is interpreted here.
 * `resolveRef` asks the server which commit a ref names now: a branch (`main`, `refs/heads/main`) or a
 * tag (`refs/tags/v1`). `readTree` reads exactly `commit`, which must be reachable from some ref, or fails.
 */
export type GitRepository = {
  resolveRef(input: RepositoryAddress & { readonly ref: string }): Promise<Result<CommitId, GitFailure>>;
  readTree(
    input: RepositoryAddress & {
      readonly commit: CommitId;
      /** The folder that holds one folder per organization, for example `organizations/`. */
      readonly under: string;
      readonly unchangedTreeOids?: ReadonlyMap<string, string>;
    },
  ): Promise<Result<RepositoryTree, GitFailure>>;
};
