import { calculateJwkThumbprint } from 'jose';
import { type OrgTransaction, withOrgChange } from '../db/index.ts';
import type { Actor } from '../events/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import { checkTrustRule } from './check-trust-rule.ts';
import { type TrustRule, trustRulesMax } from './trust-rule.ts';
import type { TrustRuleDeps } from './trust-rule-deps.ts';
import type { TrustRuleFailure } from './trust-rule-failure.ts';
import { trustRuleId } from './trust-rule-id.ts';

export type CreateTrustRuleInput = Omit<
  TrustRule,
  'id' | 'status' | 'createdAt' | 'createdBy' | 'updatedAt'
> & { readonly actor: Actor };

type Failure = Exclude<TrustRuleFailure, { code: 'trust_rule.not_found' }>;

/** From commit on, tokens that match prove to be the service account. A rule that could match everyone is refused. */
export async function createTrustRule(
  deps: TrustRuleDeps,
  { actor, ...input }: CreateTrustRuleInput,
): Promise<Result<TrustRule, Failure>> {
  const refused = await checkTrustRule(deps, input);
  if (refused !== undefined) return refused;
  const data = await toEventData(input);
  const now = deps.clock.now();
  const id = trustRuleId.create(deps);
  const rule: TrustRule = {
    ...input,
    id,
    status: 'active',
    createdAt: now,
    createdBy: actor.id,
    updatedAt: now,
  };
  return withOrgChange(deps.pool, rule.organizationId, async (tx) => {
    const added = await add(deps, tx, rule);
    if (!added.ok) return added;
    await deps.events.record(tx, rule.organizationId, {
      type: 'uos.trust-rule.created.v1',
      subject: rule.id,
      actor,
      data,
    });
    return added;
  });
}

async function add(
  deps: TrustRuleDeps,
  tx: OrgTransaction,
  rule: TrustRule,
): Promise<Result<TrustRule, Failure>> {
  const { serviceAccountId } = rule;
  // Locked: of many at once, each counts those before it.
  const account = await deps.serviceAccounts.lock(tx, serviceAccountId);
  if (account === undefined || account.status === 'deleted')
    return fail({ code: 'trust_rule.account_not_found' });
  const others = await deps.store.list(tx, serviceAccountId);
  if (others.length >= trustRulesMax) return fail({ code: 'trust_rule.limit_reached', limit: trustRulesMax });
  const isAdded = await deps.store.add(tx, rule);
  return isAdded ? ok(rule) : fail({ code: 'trust_rule.name_taken', name: rule.name });
}

/** All that decides whom the rule lets in, so that the record alone answers that later. */
async function toEventData(rule: Omit<CreateTrustRuleInput, 'actor'>) {
  const thumbprints = rule.jwks?.keys.map((key) => calculateJwkThumbprint(key));
  return {
    name: rule.name,
    serviceAccountId: rule.serviceAccountId,
    issuer: rule.issuer,
    audience: rule.audience,
    subjectPattern: rule.subjectPattern,
    requiredClaims: rule.requiredClaims.map(({ pointer, value }) => ({ pointer, value })),
    tokenAgeSecondsMax: rule.tokenAgeSecondsMax,
    tokenUse: rule.tokenUse,
    ...(rule.scopes === undefined ? {} : { scopes: [...rule.scopes] }),
    hasOwnKeys: rule.jwks !== undefined,
    ...(thumbprints === undefined ? {} : { keyThumbprints: await Promise.all(thumbprints) }),
  };
}
