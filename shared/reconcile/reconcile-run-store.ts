import type { OrgTransaction } from '../db/index.ts';
import type { Plan } from '../declarative/index.ts';
import type { GitSourceId } from '../git-source/index.ts';
import { type TypeId, typeId } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Refusal } from './reconcile-failure.ts';

export const reconcileRunId = typeId('run');
export type ReconcileRunId = TypeId<'run'>;

/** One attempt to make one organization what one commit says. */
export type ReconcileRun = {
  readonly id: ReconcileRunId;
  /** The organization's own scope; the platform's for what is refused before the organization exists. */
  readonly organizationId: OrganizationId;
  readonly sourceId: GitSourceId;
  readonly name: string;
  readonly commit: string;
  readonly treeOid: string;
  readonly plannedAt: Date;
};

export type LatestRun = {
  readonly status: 'planned' | 'applied' | 'refused';
  readonly treeOid: string;
  readonly refusal: Refusal | undefined;
};

/**
 * Runs of the transaction's scope, never changed but to say that the plan was applied. A run that stays `planned` was
 * cut short, or its plan no longer fitted and another run followed: `emptyPlanned` takes the changes out of such plans,
 * which may name people who never came to be, and whom no erasure would reach. Their hashes stay.
 */
export type ReconcileRunStore = {
  addPlanned(tx: OrgTransaction, run: ReconcileRun, plan: Plan): Promise<void>;
  emptyPlanned(tx: OrgTransaction, input: { sourceId: GitSourceId; name: string }): Promise<void>;
  markApplied(tx: OrgTransaction, id: ReconcileRunId, at: Date): Promise<void>;
  addRefused(tx: OrgTransaction, run: ReconcileRun, refusal: Refusal): Promise<void>;
  findLatest(
    tx: OrgTransaction,
    input: { sourceId: GitSourceId; name: string },
  ): Promise<LatestRun | undefined>;
};
