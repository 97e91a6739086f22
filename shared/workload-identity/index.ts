/**
 * Workload identity: which tokens of foreign issuers (GitHub Actions, Kubernetes, any OpenID provider) prove to be a
 * service account of ours, so that it needs no key.
 *
 * Invariants: a rule is found by its id alone, so that no tenant's rule catches a token meant for another's; no rule
 * could match everyone at an issuer; a token used once is used up; state and audit event share one transaction.
 *
 * @example
 * const created = await createTrustRule(deps, { organizationId, serviceAccountId, issuer, audience, ..., actor });
 * const verified = await verifyWorkloadToken({ issuerKeys, clock }, rule, jwt);
 */
export {
  type ChangeTrustRuleInput,
  disableTrustRule,
  enableTrustRule,
  removeTrustRule,
} from './change-trust-rule.ts';
export { type CreateTrustRuleInput, createTrustRule } from './create-trust-rule.ts';
export { findTrustRule, listTrustRules } from './find-trust-rule.ts';
export { type PruneTokenUsesDeps, pruneTokenUses } from './prune-token-uses.ts';
export { type RequiredClaim, requiredClaimSchema, requiredClaimsMax } from './required-claim.ts';
export type { TokenUseStore } from './token-use-store.ts';
export { type TrustRule, tokenAgeSecondsBounds, tokenUses, trustRulesMax } from './trust-rule.ts';
export type { TrustRuleDeps } from './trust-rule-deps.ts';
export type { TrustRuleFailure, TrustRuleFault } from './trust-rule-failure.ts';
export { type TrustRuleId, trustRuleId } from './trust-rule-id.ts';
export type { TrustRuleStore } from './trust-rule-store.ts';
export {
  type VerifyWorkloadTokenDeps,
  verifyWorkloadToken,
  type WorkloadToken,
} from './verify-workload-token.ts';
export type { WorkloadTokenRefusal } from './workload-token-refusal.ts';
