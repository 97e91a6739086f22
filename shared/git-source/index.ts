/**
 * Repositories that declare organizations, registered by an operator of the platform.
 *
 * Invariants: a branch of a repository is registered once; its webhook secret is shown once and sealed at rest; sources
 * live in the platform's scope, out of every tenant's sight.
 *
 * @example
 * const registered = await registerGitSource(deps, { url: 'https://git.example/acme.git', ref: 'main', actor });
 * const secret = await deps.webhookSecrets.open(source.webhookSecretSealed, source.id);
 */
export { findGitSource, listGitSources } from './find-git-source.ts';
export type { Condition, GitSource } from './git-source.ts';
export type { GitSourceDeps } from './git-source-deps.ts';
export type { GitSourceFailure } from './git-source-failure.ts';
export { type GitSourceId, gitSourceId } from './git-source-id.ts';
export type { GitSourceStore } from './git-source-store.ts';
export {
  type RegisteredGitSource,
  type RegisterGitSourceInput,
  registerGitSource,
} from './register-git-source.ts';
