import type { Principal } from '../../shared/authentication/index.ts';
import {
  type EvaluateAccessDeps,
  type PermissionFailure,
  type Permit,
  type PolicyEngine,
  requirePermission,
  type SubjectFacts,
  toCaller,
} from '../../shared/authorization/index.ts';
import { createRecentMemo, type Result, toNumericDate } from '../../shared/kernel/index.ts';

export type CallerPermissionDeps = EvaluateAccessDeps & {
  readonly engine: Pick<PolicyEngine, 'evaluate' | 'status'>;
};

export type CallerPermission = (principal: Principal) => Promise<Result<Permit, PermissionFailure>>;

type Outcome = Result<Permit, PermissionFailure>;

type Remembered = {
  readonly second: number;
  readonly revision: string | undefined;
  /** By the scopes of the credential, which are no part of the facts. */
  readonly outcomes: Map<string, Outcome>;
};

/**
 * Whether a caller may ask about others, which a gateway asks a thousand times a second. All that the policy looks at
 * is the caller's facts, the scopes of its credential, its own revision and the second it is; while all four are the
 * same, so is the answer. The cache hands out one object of facts until they change, so the object itself is the key.
 */
export function createCallerPermission(deps: CallerPermissionDeps): CallerPermission {
  const remembered = createRecentMemo<SubjectFacts, Remembered>();
  return async (principal) => {
    const facts = await deps.facts.find(principal.organizationId, principal);
    const second = toNumericDate(deps.clock.now());
    const { revision } = deps.engine.status();
    const caller = toCaller(principal);
    // As JSON, since joined text would let two lists of scopes share an answer.
    const key = JSON.stringify(caller.scopes ?? null);
    const current = () => {
      const known = remembered.get(facts);
      return known?.second === second && known.revision === revision ? known.outcomes : undefined;
    };
    const known = current()?.get(key);
    if (known !== undefined) return known;
    // Asked of these very facts: a second look might find newer ones.
    const outcome = await requirePermission(
      { ...deps, facts: { find: async () => facts } },
      { caller, permission: 'authorization:evaluate' },
    );
    if (toNumericDate(deps.clock.now()) === second) {
      const outcomes = current() ?? new Map<string, Outcome>();
      remembered.set(facts, { second, revision, outcomes: outcomes.set(key, outcome) });
    }
    return outcome;
  };
}
