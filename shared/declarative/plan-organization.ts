import { type Fail, fail, ok, type Result } from '../kernel/index.ts';
import {
  type DeclaredOrganization,
  hashOrganization,
  type Sha256,
  sha256,
} from './canonical-organization.ts';
import type { Guards, OrganizationState } from './entity.ts';
import { type Change, listChanges } from './list-changes.ts';

/**
 * What would be done to one organization for one commit. Creates and updates come first, each after what it refers
 * to; deletes come last, each after what refers to it. `hash` covers everything else in the plan, so that applying
 * can insist on exactly what was shown: plan again inside the transaction and compare.
 */
export type Plan = {
  readonly organization: string;
  readonly commit: string;
  readonly declaration: Sha256 | null;
  readonly changes: readonly Change[];
  readonly summary: { readonly creates: number; readonly updates: number; readonly deletes: number };
  readonly hash: Sha256;
};

export type RemovalsExceedGuard = {
  readonly code: 'plan.removals_exceed_guard';
  readonly organization: string;
  readonly removals: number;
  readonly allowed: number;
  /** How many things of this organization Git manages now. */
  readonly managed: number;
};

/**
 * Pure: the same state, declaration and commit give the same plan. `declared: null` means that the folder is gone:
 * the whole organization is removed, which no guard lets pass unless `removalsConfirmed`.
 */
export function planOrganization(input: {
  current: OrganizationState;
  declared: DeclaredOrganization | null;
  commit: string;
  removalsConfirmed?: boolean;
}): Result<Plan, RemovalsExceedGuard> {
  const { current, declared, commit } = input;
  const changes = listChanges(current, declared);
  const excess = findExcess(current, declared, changes);
  if (excess !== undefined && input.removalsConfirmed !== true) return excess;
  const content = {
    organization: current.slug,
    commit,
    declaration: declared === null ? null : hashOrganization(declared),
    changes,
    summary: {
      creates: countOperation(changes, 'create'),
      updates: countOperation(changes, 'update'),
      deletes: countOperation(changes, 'delete'),
    },
  };
  return ok({ ...content, hash: sha256(content) });
}

function countOperation(changes: readonly Change[], operation: Change['operation']): number {
  return changes.filter((change) => change.operation === operation).length;
}

const nothingAllowed = { maxRemovalPercent: 0, removalsAlwaysAllowed: 0 };

function findExcess(
  current: OrganizationState,
  declared: DeclaredOrganization | null,
  changes: readonly Change[],
): Fail<RemovalsExceedGuard> | undefined {
  // Grants made through the API fall with what they refer to; they are neither asked for by Git nor counted.
  const managed = current.entities.filter(({ managedBy }) => managedBy === 'git').length;
  const removals = changes.filter(
    ({ operation, entity }) => operation === 'delete' && entity.managedBy === 'git',
  ).length;
  const { maxRemovalPercent, removalsAlwaysAllowed } = findGuards(declared) ?? nothingAllowed;
  const allowed = Math.max(removalsAlwaysAllowed, Math.floor((managed * maxRemovalPercent) / 100));
  if (removals <= allowed) return undefined;
  return fail({ code: 'plan.removals_exceed_guard', organization: current.slug, removals, allowed, managed });
}

/** The guards being declared count, not those in force: raising them is how a reviewed commit says it means it. */
function findGuards(declared: DeclaredOrganization | null): Guards | undefined {
  for (const entity of declared?.entities ?? []) {
    if (entity.kind === 'organization') return entity.spec.guards;
  }
  return undefined;
}
