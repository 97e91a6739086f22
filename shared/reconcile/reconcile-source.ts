import { withOrg } from '../db/index.ts';
import { findGitSource, type GitSource, type GitSourceId } from '../git-source/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { findCondition, isTrue } from './condition.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { ReconcileFailure } from './reconcile-failure.ts';
import { reconcileTree, type TreeReport } from './reconcile-tree.ts';
import { withSourceLease } from './source-lease.ts';
import { saveBegun, saveFetchFailed, saveFinished, saveIncomplete } from './source-status.ts';

/** Where organizations are declared: one folder each. */
const declarationsFolder = 'organizations/';

/**
 * Why a source is looked at. `push`: somebody says it moved. `poll`: nobody said anything, so only what is new or was
 * left unfinished is worth a fetch. `force`: every folder anew, whatever is remembered.
 */
export type ReconcileTrigger = 'push' | 'poll' | 'force';

export type ReconcileReport =
  | { readonly outcome: 'settled'; readonly commit: string }
  | ({ readonly outcome: 'finished'; readonly commit: string } & TreeReport);

/**
 * Makes every organization that a source declares what its newest commit says. What is refused is on record and keeps
 * its last good state, and is part of a finished run: trying again would not help.
 */
export async function reconcileSource(
  deps: ReconcileDeps,
  input: { sourceId: GitSourceId; trigger: ReconcileTrigger },
): Promise<Result<ReconcileReport, ReconcileFailure>> {
  const { sourceId, trigger } = input;
  if ((await find(deps, sourceId)) === undefined) return fail({ code: 'git_source.not_found' });
  const result = await withSourceLease(deps, sourceId, async (isHeld) => {
    // Read again: the run that held the lease before may have changed it.
    const source = await find(deps, sourceId);
    return source === undefined ? undefined : runSource(deps, { source, trigger, isHeld });
  });
  return result ?? fail({ code: 'reconcile.busy' });
}

type Run = { readonly source: GitSource; readonly trigger: ReconcileTrigger; readonly isHeld: () => boolean };

async function runSource(deps: ReconcileDeps, run: Run): Promise<Result<ReconcileReport, ReconcileFailure>> {
  const { source, trigger, isHeld } = run;
  const { url, ref } = source;
  const resolved = await deps.repository.resolveRef({ url, ref });
  if (!resolved.ok) return saveFetchFailed(deps, source, resolved.failure);
  const commit = resolved.value;
  if (isSettled(source, commit, trigger)) return ok({ outcome: 'settled', commit });
  await saveBegun(deps, source, commit);
  const claims = await withOrg(deps.pool, platformOrganizationId, (tx) =>
    deps.statuses.listClaims(tx, source.id),
  );
  const unchangedTreeOids = new Map(
    claims.flatMap(({ name, appliedTreeOid }) =>
      appliedTreeOid === undefined || trigger === 'force' ? [] : [[name, appliedTreeOid] as const],
    ),
  );
  const read = await deps.repository.readTree({ url, commit, under: declarationsFolder, unchangedTreeOids });
  if (!read.ok) return saveFetchFailed(deps, source, read.failure, commit);
  const report = await reconcileTree(deps, { source, tree: read.value, claims, isHeld });
  if (!report.ok) {
    await saveIncomplete(deps, source, commit, report.failure);
    return report;
  }
  await saveFinished(deps, source, commit, report.value);
  return ok({ outcome: 'finished', commit, ...report.value });
}

function find(deps: ReconcileDeps, id: GitSourceId): Promise<GitSource | undefined> {
  return findGitSource({ pool: deps.pool, store: deps.sources }, id);
}

/** A push is taken at its word unless all of it is applied; a poll leaves alone what stalled at this very commit. */
function isSettled(source: GitSource, commit: string, trigger: ReconcileTrigger): boolean {
  const { conditions, appliedCommit, observedCommit } = source;
  if (trigger === 'force' || isTrue(conditions, 'Reconciling')) return false;
  if (trigger === 'push') return commit === appliedCommit && isTrue(conditions, 'Ready');
  const isStalledHere = findCondition(conditions, 'Stalled')?.['commit'] === commit;
  return commit === observedCommit && (isStalledHere || !isTrue(conditions, 'Stalled'));
}
