/**
 * Makes organizations what Git declares: claim the name, plan, store the plan, apply exactly that plan.
 *
 * Invariants: an organization changes in one transaction with an event for each change, or not at all; what is applied
 * is the stored plan, and a state that changed since asks for a new one; a name belongs to one source; a refused
 * declaration leaves the last good state and says why, once; every step may be the last before a crash.
 *
 * @example
 * const report = await reconcileSource(deps, { sourceId, trigger: 'push' });
 */
export { type AcceptPushDeps, acceptPush } from './accept-push.ts';
export type { ReconcileCondition } from './condition.ts';
export type { Directory, DirectoryStore, DirectoryWrite, RevokedKey } from './directory-store.ts';
export { type PollResult, pollSources } from './poll-sources.ts';
export type { ReconcileDeps } from './reconcile-deps.ts';
export type { ReconcileFailure, Refusal } from './reconcile-failure.ts';
export {
  type OrganizationOutcome,
  type ReconcileOrganizationInput,
  reconcileOrganization,
} from './reconcile-organization.ts';
export type { LatestRun, ReconcileRun, ReconcileRunId, ReconcileRunStore } from './reconcile-run-store.ts';
export { type ReconcileReport, type ReconcileTrigger, reconcileSource } from './reconcile-source.ts';
export type { TreeReport } from './reconcile-tree.ts';
export type { Claim, Claimed, SourceStatus, SourceStatusStore } from './source-status-store.ts';
