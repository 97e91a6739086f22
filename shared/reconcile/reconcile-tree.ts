import type { OrganizationTree, RepositoryTree } from '../declarative/index.ts';
import type { GitSource, GitSourceId } from '../git-source/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import type { ReconcileFailure, Refusal } from './reconcile-failure.ts';
import { type OrganizationOutcome, reconcileOrganization } from './reconcile-organization.ts';
import { reconcileRunId } from './reconcile-run-store.ts';
import { recordRefusal } from './record-refusal.ts';
import { refuseDeclaration } from './refusal.ts';
import type { Claim } from './source-status-store.ts';

export type TreeReport = {
  readonly applied: readonly string[];
  readonly unchanged: number;
  readonly refused: readonly { readonly name: string; readonly refusal: Refusal }[];
  /** Organizations of this source whose folder is gone. Nothing is done about them here. */
  readonly missing: readonly string[];
};

type Incomplete = Extract<ReconcileFailure, { code: 'reconcile.busy' | 'reconcile.incomplete' }>;

// When this many fail in a run the fault is not theirs, and the rest would only wait for the same timeouts.
const faultsMax = 5;

/** One organization after the other. What goes wrong with one, be it our own fault, keeps none of the others waiting. */
export async function reconcileTree(
  deps: ReconcileDeps,
  input: {
    source: GitSource;
    tree: RepositoryTree;
    claims: readonly Claim[];
    isHeld: () => boolean;
  },
): Promise<Result<TreeReport, Incomplete>> {
  const { source, tree, claims, isHeld } = input;
  const { commit } = tree;
  const applied = new Map(claims.map((claim) => [claim.name, claim]));
  const outcomes = await refuseFolders(deps, source.id, tree);
  const left: string[] = [];
  const causes: unknown[] = [];
  for (const organization of tree.organizations) {
    if (!isHeld()) return fail({ code: 'reconcile.busy' });
    const claim = applied.get(organization.slug);
    const knownAs = claim?.appliedTreeOid === undefined ? undefined : claim.organizationId;
    const result = await attempt(deps, { sourceId: source.id, commit, tree: organization, knownAs });
    if ('outcome' in result) outcomes.push(result);
    else {
      left.push(organization.slug);
      if (result.cause !== undefined) causes.push(result.cause);
    }
    if (causes.length >= faultsMax) break;
  }
  if (left.length > 0) return fail({ code: 'reconcile.incomplete', organizations: left, causes });
  return ok(toReport(outcomes, tree, claims));
}

async function attempt(
  deps: ReconcileDeps,
  input: Parameters<typeof reconcileOrganization>[1],
): Promise<OrganizationOutcome | { readonly cause?: unknown }> {
  try {
    const result = await reconcileOrganization(deps, input);
    return result.ok ? result.value : {};
  } catch (cause) {
    return { cause };
  }
}

/** Folders that no organization can be named after. They are refused as one, under the name of their parent. */
async function refuseFolders(
  deps: ReconcileDeps,
  sourceId: GitSourceId,
  { faults, commit }: RepositoryTree,
): Promise<OrganizationOutcome[]> {
  if (faults.length === 0) return [];
  const name = '*';
  const refusal = refuseDeclaration({ faults });
  const run = { id: reconcileRunId.create(deps), organizationId: platformOrganizationId, sourceId, name };
  await recordRefusal(deps, { ...run, commit, treeOid: '', plannedAt: deps.clock.now() }, refusal);
  return [{ outcome: 'refused', name, refusal }];
}

function toReport(
  outcomes: readonly OrganizationOutcome[],
  tree: RepositoryTree,
  claims: readonly Claim[],
): TreeReport {
  const toSlug = ({ slug }: OrganizationTree) => slug;
  const present = new Set([...tree.unchanged, ...tree.organizations.map(toSlug)]);
  return {
    applied: outcomes.flatMap((one) => (one.outcome === 'applied' ? [one.name] : [])),
    unchanged: tree.unchanged.length + outcomes.filter((one) => one.outcome === 'unchanged').length,
    refused: outcomes.flatMap((one) =>
      one.outcome === 'refused' ? [{ name: one.name, refusal: one.refusal }] : [],
    ),
    missing: claims
      .filter(({ name, appliedTreeOid }) => appliedTreeOid !== undefined && !present.has(name))
      .map(({ name }) => name),
  };
}
