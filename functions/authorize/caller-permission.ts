import type { Principal } from '../../shared/authentication/index.ts';
import {
  type EvaluateAccessDeps,
  type PermissionFailure,
  type Permit,
  type PolicyEngine,
  requirePermission,
  type SubjectFacts,
} from '../../shared/authorization/index.ts';
import { type Result, toNumericDate } from '../../shared/kernel/index.ts';

export type CallerPermissionDeps = EvaluateAccessDeps & {
  readonly engine: Pick<PolicyEngine, 'evaluate' | 'status'>;
};

export type CallerPermission = (principal: Principal) => Promise<Result<Permit, PermissionFailure>>;

type Remembered = {
  readonly second: number;
  readonly revision: string | undefined;
  readonly outcome: Result<Permit, PermissionFailure>;
};

/**
 * Whether a caller may ask about others, which a gateway asks a thousand times a second. All that the policy looks at
 * is the caller's facts, its own revision and the second it is; while all three are the same, so is the answer. The
 * cache hands out one object of facts until they change, so the object itself is the key.
 */
export function createCallerPermission(deps: CallerPermissionDeps): CallerPermission {
  const remembered = new WeakMap<SubjectFacts, Remembered>();
  return async (principal) => {
    const facts = await deps.facts.find(principal.organizationId, principal);
    const second = toNumericDate(deps.clock.now());
    const { revision } = deps.engine.status();
    const known = remembered.get(facts);
    if (known?.second === second && known.revision === revision) return known.outcome;
    // Asked of these very facts: a second look might find newer ones.
    const outcome = await requirePermission(
      { ...deps, facts: { find: async () => facts } },
      {
        caller: { organizationId: principal.organizationId, subject: principal },
        permission: 'authorization:evaluate',
      },
    );
    if (toNumericDate(deps.clock.now()) === second) remembered.set(facts, { second, revision, outcome });
    return outcome;
  };
}
