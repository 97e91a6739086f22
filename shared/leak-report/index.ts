/**
 * What happens when somebody says that an API key has leaked: the key is revoked at once.
 *
 * Invariants: only who has a key's text can have it revoked here; an answer says of each text whether it is a key's,
 * and nothing else; the text is neither stored nor logged; a report that is repeated changes and records nothing.
 *
 * @example
 * const alert = await openGithubAlert(keys, { body, identifier, signature });
 * const labels = await reportLeakedKeys(deps, { texts: alert.value.map(({ token }) => token), source: 'github' });
 */
export {
  createGithubKeys,
  type GithubKeyFailure,
  type GithubKeys,
  type GithubKeysDeps,
  githubKeysUrl,
} from './github-keys.ts';
export type { LeakLabel, LeakSource } from './leak-report.ts';
export {
  type GithubAlertFailure,
  type GithubMatch,
  openGithubAlert,
  type SignedAlert,
} from './open-github-alert.ts';
export {
  type ReportLeakedKeysDeps,
  type ReportLeakedKeysInput,
  reportLeakedKeys,
} from './report-leaked-keys.ts';
