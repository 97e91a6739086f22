import type { OrgTransaction } from '../db/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { TrustRule } from './trust-rule.ts';
import type { TrustRuleId } from './trust-rule-id.ts';

/**
 * Trust rules of the transaction's organization. `add` makes the rule findable by its id before the organization is
 * known, and is false when its account has a rule of that name. `setStatus` is undefined when the rule is unknown or
 * has that status already. `remove` is undefined when it is unknown. Each change is told to every warm instance with
 * the commit, under the rule's id.
 */
export type TrustRuleStore = {
  add(tx: OrgTransaction, rule: TrustRule): Promise<boolean>;
  find(tx: OrgTransaction, id: TrustRuleId): Promise<TrustRule | undefined>;
  /** Newest first: there are at most `trustRulesMax`. */
  list(tx: OrgTransaction, serviceAccountId: ServiceAccountId): Promise<TrustRule[]>;
  setStatus(
    tx: OrgTransaction,
    input: { id: TrustRuleId; status: TrustRule['status']; at: Date },
  ): Promise<TrustRule | undefined>;
  remove(tx: OrgTransaction, id: TrustRuleId): Promise<TrustRule | undefined>;
};
