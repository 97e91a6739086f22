import { sql } from 'kysely';
import { z } from 'zod';
import type { Rows } from '../db/index.ts';
import { invariant } from '../kernel/index.ts';
import type { ReconcileRun, ReconcileRunStore } from './reconcile-run-store.ts';

const refusalSchema = z.object({
  code: z.enum([
    'declaration.invalid',
    'plan.removals_exceed_guard',
    'organization.claimed_by_other_source',
    'organization.not_declared_by_git',
  ]),
  message: z.string(),
  faults: z.array(z.string()),
});

export const postgresReconcileRunStore: ReconcileRunStore = {
  addPlanned: async (tx, run, plan) => {
    await tx
      .insertInto('reconcile_run')
      .values({ ...toRow(run), plan: JSON.stringify(plan), plan_hash: plan.hash, status: 'planned' })
      .execute();
  },
  emptyPlanned: async (tx, { sourceId, name }) => {
    await tx
      .updateTable('reconcile_run')
      .set({ plan: sql`jsonb_set(plan, '{changes}', '[]')` })
      .where('source_id', '=', sourceId)
      .where('name', '=', name)
      .where('status', '=', 'planned')
      .where(sql<boolean>`plan -> 'changes' <> '[]'`)
      .execute();
  },
  markApplied: async (tx, id, at) => {
    const { numUpdatedRows } = await tx
      .updateTable('reconcile_run')
      .set({ status: 'applied', applied_at: at })
      .where('run_id', '=', id)
      .where('status', '=', 'planned')
      .executeTakeFirst();
    invariant(numUpdatedRows === 1n, `the run ${id} is not one that waits to be applied`);
  },
  addRefused: async (tx, run, refusal) => {
    await tx
      .insertInto('reconcile_run')
      .values({ ...toRow(run), status: 'refused', failure: JSON.stringify(refusal) })
      .execute();
  },
  findLatest: async (tx, { sourceId, name }) => {
    const row = await tx
      .selectFrom('reconcile_run')
      .select(['status', 'tree_oid', 'failure'])
      .where('source_id', '=', sourceId)
      .where('name', '=', name)
      .orderBy('planned_at', 'desc')
      .orderBy('run_id', 'desc')
      .limit(1)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    const refusal = row.failure === null ? undefined : refusalSchema.parse(row.failure);
    return { status: row.status, treeOid: row.tree_oid, refusal };
  },
};

function toRow(run: ReconcileRun) {
  return {
    org_id: run.organizationId,
    run_id: run.id,
    source_id: run.sourceId,
    name: run.name,
    commit_sha: run.commit,
    tree_oid: run.treeOid,
    planned_at: run.plannedAt,
  } satisfies Partial<Rows.ReconcileRunRow>;
}
