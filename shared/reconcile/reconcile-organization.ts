import { withOrg } from '../db/index.ts';
import {
  type DeclaredOrganization,
  type OrganizationTree,
  type Plan,
  parseOrganization,
  planOrganization,
  type RemovalsExceedGuard,
} from '../declarative/index.ts';
import type { GitSourceId } from '../git-source/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { type OrganizationId, platformOrganizationId } from '../organization/index.ts';
import { applyPlan } from './apply-plan.ts';
import { claimOrganization } from './claim-organization.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { Refusal } from './reconcile-failure.ts';
import { type ReconcileRun, reconcileRunId } from './reconcile-run-store.ts';
import { recordRefusal } from './record-refusal.ts';
import { refuseDeclaration, refuseRemovals } from './refusal.ts';

export type OrganizationOutcome =
  | { readonly outcome: 'applied'; readonly name: string; readonly summary: Plan['summary'] }
  | { readonly outcome: 'unchanged'; readonly name: string }
  | { readonly outcome: 'refused'; readonly name: string; readonly refusal: Refusal };

export type ReconcileOrganizationInput = {
  readonly sourceId: GitSourceId;
  readonly commit: string;
  readonly tree: OrganizationTree;
  /** Undefined until an organization of this source has been applied under this name. */
  readonly knownAs: OrganizationId | undefined;
};

// Each attempt loses only to a change that another transaction committed, so somebody always gets on.
const attemptsMax = 5;

/**
 * Makes one organization what its folder says, or records why not. Each step leaves a state from which the next run
 * goes on: claim, stored plan, applied plan, remembered tree. Fails only when others kept changing the organization.
 */
export async function reconcileOrganization(
  deps: ReconcileDeps,
  input: ReconcileOrganizationInput,
): Promise<Result<OrganizationOutcome, { readonly code: 'reconcile.busy' }>> {
  const { tree, sourceId } = input;
  const parsed = parseOrganization(tree);
  if (!parsed.ok) return refuse(deps, input, refuseDeclaration(parsed.failure));
  const claimed = await claimOrganization(deps, { sourceId, name: tree.slug });
  if (!claimed.ok) return refuse(deps, { ...input, knownAs: undefined }, claimed.failure.refusal);
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const planned = await storePlan(deps, {
      ...input,
      organizationId: claimed.value,
      declared: parsed.value,
    });
    if (!planned.ok)
      return refuse(deps, { ...input, knownAs: claimed.value }, refuseRemovals(planned.failure));
    const { run, plan } = planned.value;
    if (plan.changes.length > 0) {
      const applied = await withOrg(deps.pool, claimed.value, (tx) =>
        applyPlan(deps, tx, { run, plan, declared: parsed.value }),
      );
      if (!applied.ok) continue;
    }
    await rememberTree(deps, input);
    const { summary, changes } = plan;
    return ok(
      changes.length > 0
        ? { outcome: 'applied', name: tree.slug, summary }
        : { outcome: 'unchanged', name: tree.slug },
    );
  }
  return fail({ code: 'reconcile.busy' });
}

/**
 * What will be done, on record before it is done. A plan that changes nothing leaves no record, and one that was not
 * applied is superseded by either.
 */
async function storePlan(
  deps: ReconcileDeps,
  input: ReconcileOrganizationInput & { organizationId: OrganizationId; declared: DeclaredOrganization },
): Promise<Result<{ run: ReconcileRun; plan: Plan }, RemovalsExceedGuard>> {
  const { organizationId, declared, commit, tree, sourceId } = input;
  return withOrg(deps.pool, organizationId, async (tx) => {
    await deps.runs.emptyPlanned(tx, { sourceId, name: tree.slug });
    const { state } = await deps.directory.load(tx, { organizationId, name: tree.slug });
    const plan = planOrganization({ current: state, declared, commit });
    if (!plan.ok) return plan;
    const run = toRun(deps, input, organizationId);
    if (plan.value.changes.length > 0) await deps.runs.addPlanned(tx, run, plan.value);
    return ok({ run, plan: plan.value });
  });
}

async function rememberTree(deps: ReconcileDeps, input: ReconcileOrganizationInput): Promise<void> {
  const { sourceId, tree } = input;
  await withOrg(deps.pool, platformOrganizationId, (tx) =>
    deps.statuses.setAppliedTree(tx, { sourceId, name: tree.slug, treeOid: tree.treeOid }),
  );
}

async function refuse(
  deps: ReconcileDeps,
  input: ReconcileOrganizationInput,
  refusal: Refusal,
): Promise<Result<OrganizationOutcome, never>> {
  // Before there is an organization, the platform's own trail is the only one that can say why.
  await recordRefusal(deps, toRun(deps, input, input.knownAs ?? platformOrganizationId), refusal);
  return ok({ outcome: 'refused', name: input.tree.slug, refusal });
}

function toRun(
  deps: ReconcileDeps,
  { sourceId, tree, commit }: ReconcileOrganizationInput,
  organizationId: OrganizationId,
): ReconcileRun {
  const { slug: name, treeOid } = tree;
  const id = reconcileRunId.create(deps);
  return { id, organizationId, sourceId, name, commit, treeOid, plannedAt: deps.clock.now() };
}
