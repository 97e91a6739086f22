import { withOrg } from '../db/index.ts';
import { canonicalJson } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { Refusal } from './reconcile-failure.ts';
import type { LatestRun, ReconcileRun } from './reconcile-run-store.ts';

/**
 * Keeps why a declaration was not applied, with its event, in the scope of the run. The same refusal of the same
 * files is kept once, however often the source is looked at.
 */
export async function recordRefusal(
  deps: Pick<ReconcileDeps, 'pool' | 'runs' | 'events'>,
  run: ReconcileRun,
  refusal: Refusal,
): Promise<void> {
  const { organizationId, sourceId, name, commit } = run;
  await withOrg(deps.pool, organizationId, async (tx) => {
    const latest = await deps.runs.findLatest(tx, { sourceId, name });
    if (isSame(latest, run, refusal)) return;
    await deps.runs.addRefused(tx, run, refusal);
    await deps.events.record(tx, organizationId, {
      type: 'uos.reconcile.refused.v1',
      subject: organizationId === platformOrganizationId ? sourceId : organizationId,
      actor: { type: 'git_source', id: sourceId },
      data: { sourceId, commit, name, code: refusal.code, faults: [...refusal.faults] },
    });
  });
}

function isSame(latest: LatestRun | undefined, run: ReconcileRun, refusal: Refusal): boolean {
  if (latest?.refusal === undefined || latest.treeOid !== run.treeOid) return false;
  return canonicalJson({ ...latest.refusal }) === canonicalJson({ ...refusal });
}
