import { fail, ok, type Result } from '../kernel/index.ts';
import type { GitSourceFailure } from './git-source-failure.ts';
import type { GitSourceId } from './git-source-id.ts';

/** A statement about the source in the manner of a Kubernetes condition: type, status, reason, message, since when. */
export type Condition = Readonly<Record<string, unknown>>;

/** A repository that declares organizations. It belongs to the platform, not to a tenant. */
export type GitSource = {
  readonly id: GitSourceId;
  /** Absolute http or https URL without user, password, query or fragment. */
  readonly url: string;
  /** Full name of a branch: `refs/heads/main`. */
  readonly ref: string;
  /** Text of the webhook secret, sealed by the key ring `git-source` with the source's id as context. */
  readonly webhookSecretSealed: Uint8Array;
  /** The newest commit that was fetched, and the newest that was applied. */
  readonly observedCommit: string | undefined;
  readonly appliedCommit: string | undefined;
  readonly conditions: readonly Condition[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/**
 * Refuses a credential in the URL, since a URL is shown and logged, and every scheme but http(s): `file:`, `ext::` and
 * `ssh:` reach what is on this machine (CVE-2026-28292 and kin).
 */
export function parseGitUrl(text: string): Result<string, GitSourceFailure> {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    return invalid('url', 'must be an http:// or https:// URL');
  if (url.username !== '' || url.password !== '') return invalid('url', 'must not hold a credential');
  if (/[?#]/.test(text)) return invalid('url', 'must have no query and no fragment');
  return ok(url.href);
}

/** Full name of a branch, from a branch or its full name. The rules of git-check-ref-format(1), narrowed to plain characters. */
export function parseGitRef(text: string): Result<string, GitSourceFailure> {
  const ref = text.startsWith('refs/') ? text : `refs/heads/${text}`;
  const isBranch = /^refs\/heads\/[A-Za-z0-9_][A-Za-z0-9._-]*(\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/.test(ref);
  if (!isBranch || /\.\.|\.(\/|$)|\.lock(\/|$)/.test(ref))
    return invalid('ref', 'must be the name of a branch');
  return ok(ref);
}

function invalid(field: 'url' | 'ref', problem: string): Result<never, GitSourceFailure> {
  return fail({ code: 'git_source.invalid', field, problem });
}
