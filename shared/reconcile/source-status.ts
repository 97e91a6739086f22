import { withOrg } from '../db/index.ts';
import type { GitFailure } from '../declarative/index.ts';
import type { GitSource } from '../git-source/index.ts';
import { canonicalJson, type Fail, fail } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import { type ReconcileCondition, replaceConditions } from './condition.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { ReconcileFailure } from './reconcile-failure.ts';
import type { TreeReport } from './reconcile-tree.ts';
import type { SourceStatus } from './source-status-store.ts';

type Deps = Pick<ReconcileDeps, 'pool' | 'statuses' | 'clock'>;
type Draft = Omit<ReconcileCondition, 'since'>;

export async function saveBegun(deps: Deps, source: GitSource, commit: string): Promise<void> {
  const message = 'a run is under way';
  await save(deps, source, { observedCommit: commit }, [
    { type: 'Reconciling', status: 'True', reason: 'Running', message, commit },
  ]);
}

export async function saveFinished(
  deps: Deps,
  source: GitSource,
  commit: string,
  report: TreeReport,
): Promise<void> {
  const { refused, applied, unchanged, missing } = report;
  const isApplied = refused.length === 0;
  const message = isApplied
    ? `${applied.length} changed, ${unchanged} unchanged`
    : toList(refused.map(({ name, refusal }) => `${name}: ${refusal.message}`));
  const reason = isApplied ? 'Applied' : 'Refused';
  const commits = isApplied ? { appliedCommit: commit, observedCommit: commit } : { observedCommit: commit };
  await save(deps, source, commits, [
    { type: 'Ready', status: isApplied ? 'True' : 'False', reason, message, commit },
    { type: 'Reconciling', status: 'False', reason: 'Finished', message: '', commit },
    { type: 'Stalled', status: isApplied ? 'False' : 'True', reason, message, commit },
    toMissing(missing, commit),
  ]);
}

function toMissing(missing: readonly string[], commit: string): Draft {
  const type = 'FoldersMissing';
  if (missing.length === 0) return { type, status: 'False', reason: 'AllPresent', message: '', commit };
  const message = `${toList(missing)} declared no longer, and kept: organizations are not removed through Git`;
  return { type, status: 'True', reason: 'Kept', message, commit };
}

/** Stays `Reconciling`, so that the next poll takes it up. */
export async function saveIncomplete(
  deps: Deps,
  source: GitSource,
  commit: string,
  failure: Extract<ReconcileFailure, { code: 'reconcile.busy' | 'reconcile.incomplete' }>,
): Promise<void> {
  // Whoever took over the lease speaks for the source now.
  if (failure.code === 'reconcile.busy') return;
  const message = `${toList(failure.organizations)}: will be tried again`;
  await save(deps, source, { observedCommit: commit }, [
    { type: 'Ready', status: 'False', reason: 'Incomplete', message, commit },
    { type: 'Reconciling', status: 'True', reason: 'Retrying', message, commit },
    { type: 'Stalled', status: 'False', reason: 'Retrying', message: '', commit },
  ]);
}

const transient: ReadonlySet<GitFailure['code']> = new Set([
  'git.timed_out',
  'git.unreachable',
  // Rewritten while we looked: the ref names another commit by now.
  'git.commit_missing',
]);

export async function saveFetchFailed(
  deps: Deps,
  source: GitSource,
  cause: GitFailure,
  commit?: string,
): Promise<Fail<Extract<ReconcileFailure, { code: 'reconcile.fetch_failed' }>>> {
  const isTransient = transient.has(cause.code);
  const told = { reason: cause.code, message: describe(cause), ...(commit === undefined ? {} : { commit }) };
  const commits = commit === undefined ? {} : { observedCommit: commit };
  await save(deps, source, commits, [
    { type: 'Ready', status: 'False', ...told },
    { type: 'Reconciling', status: isTransient ? 'True' : 'False', ...told },
    { type: 'Stalled', status: isTransient ? 'False' : 'True', ...told },
  ]);
  return fail({ code: 'reconcile.fetch_failed', cause, isTransient });
}

function describe({ code, ...details }: GitFailure): string {
  return 'message' in details ? details.message : canonicalJson(details);
}

const namesMax = 10;

function toList(items: readonly string[]): string {
  const shown = items.slice(0, namesMax).join('; ');
  return items.length > namesMax ? `${shown}; and ${items.length - namesMax} more` : shown;
}

async function save(
  deps: Deps,
  source: GitSource,
  commits: Pick<SourceStatus, 'observedCommit' | 'appliedCommit'>,
  drafts: readonly Draft[],
): Promise<void> {
  const at = deps.clock.now();
  const conditions = replaceConditions(source.conditions, drafts, at);
  await withOrg(deps.pool, platformOrganizationId, (tx) =>
    deps.statuses.saveStatus(tx, source.id, { ...commits, conditions, at }),
  );
}
