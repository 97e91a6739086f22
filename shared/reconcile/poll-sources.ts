import { withOrg } from '../db/index.ts';
import { type GitSourceId, listGitSources } from '../git-source/index.ts';
import { type Result, secondsAfter } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { ReconcileFailure } from './reconcile-failure.ts';
import { type ReconcileReport, reconcileSource } from './reconcile-source.ts';

export type PollResult = {
  readonly sourceId: GitSourceId;
  readonly result: Result<ReconcileReport, ReconcileFailure> | { readonly thrown: unknown };
};

const pageSize = 100;
// Forges offer a delivery again for three days; a copy that comes later starts a run that finds nothing to do.
const deliveryAgeMaxSeconds = 30 * 24 * 60 * 60;

/**
 * Looks at every source, because webhooks get lost and nobody sends them again. One at a time: a pack is held in
 * memory. A source that fails keeps no other from its turn.
 */
export async function pollSources(deps: ReconcileDeps): Promise<PollResult[]> {
  const before = secondsAfter(deps.clock.now(), -deliveryAgeMaxSeconds);
  await withOrg(deps.pool, platformOrganizationId, (tx) => deps.statuses.forgetDeliveries(tx, before));
  const results: PollResult[] = [];
  for await (const sourceId of listSourceIds(deps)) {
    const result = await reconcileSource(deps, { sourceId, trigger: 'poll' }).catch((thrown: unknown) => ({
      thrown,
    }));
    results.push({ sourceId, result });
  }
  return results;
}

async function* listSourceIds(deps: ReconcileDeps): AsyncGenerator<GitSourceId> {
  let before: GitSourceId | undefined;
  for (;;) {
    const page = await listGitSources(
      { pool: deps.pool, store: deps.sources },
      { limit: pageSize, ...(before === undefined ? {} : { before }) },
    );
    for (const { id } of page) yield id;
    before = page.at(-1)?.id;
    if (before === undefined || page.length < pageSize) return;
  }
}
