import { withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { TrustRule } from './trust-rule.ts';
import type { TrustRuleDeps } from './trust-rule-deps.ts';
import type { TrustRuleId } from './trust-rule-id.ts';

export type ChangeTrustRuleInput = {
  readonly organizationId: OrganizationId;
  readonly id: TrustRuleId;
  readonly actor: Actor;
};

type Deps = Pick<TrustRuleDeps, 'pool' | 'store' | 'events' | 'clock'>;
type Outcome = Promise<Result<TrustRule, { readonly code: 'trust_rule.not_found' }>>;

/** Refuses the rule and every token issued under it from commit on. Repeating it changes and records nothing. */
export function disableTrustRule(deps: Deps, input: ChangeTrustRuleInput): Outcome {
  return changeStatus(deps, input, 'disabled');
}

/** Lets the rule work again, and tokens issued under it that still live. */
export function enableTrustRule(deps: Deps, input: ChangeTrustRuleInput): Outcome {
  return changeStatus(deps, input, 'active');
}

const eventOf = { active: 'uos.trust-rule.enabled.v1', disabled: 'uos.trust-rule.disabled.v1' } as const;

async function changeStatus(deps: Deps, input: ChangeTrustRuleInput, status: TrustRule['status']): Outcome {
  const { organizationId, id, actor } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const changed = await deps.store.setStatus(tx, { id, status, at: deps.clock.now() });
    if (changed === undefined) {
      const existing = await deps.store.find(tx, id);
      return existing === undefined ? fail({ code: 'trust_rule.not_found' }) : ok(existing);
    }
    const data = { name: changed.name, serviceAccountId: changed.serviceAccountId };
    await deps.events.record(tx, organizationId, { type: eventOf[status], subject: id, actor, data });
    return ok(changed);
  });
}

/** Refuses every token issued under the rule from commit on. */
export async function removeTrustRule(deps: Deps, input: ChangeTrustRuleInput): Outcome {
  const { organizationId, id, actor } = input;
  return withOrgChange(deps.pool, organizationId, async (tx) => {
    const removed = await deps.store.remove(tx, id);
    if (removed === undefined) return fail({ code: 'trust_rule.not_found' });
    const data = { name: removed.name, serviceAccountId: removed.serviceAccountId };
    await deps.events.record(tx, organizationId, {
      type: 'uos.trust-rule.removed.v1',
      subject: id,
      actor,
      data,
    });
    return ok(removed);
  });
}
