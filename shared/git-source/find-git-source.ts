import { withOrg } from '../db/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { GitSource } from './git-source.ts';
import type { GitSourceDeps } from './git-source-deps.ts';
import type { GitSourceId } from './git-source-id.ts';

export async function findGitSource(
  deps: Pick<GitSourceDeps, 'pool' | 'store'>,
  id: GitSourceId,
): Promise<GitSource | undefined> {
  return withOrg(deps.pool, platformOrganizationId, (tx) => deps.store.find(tx, id));
}

/** Newest first. */
export async function listGitSources(
  deps: Pick<GitSourceDeps, 'pool' | 'store'>,
  page: { limit: number; before?: GitSourceId },
): Promise<GitSource[]> {
  return withOrg(deps.pool, platformOrganizationId, (tx) => deps.store.list(tx, page));
}
