/** Why a rule is refused; every member is public. */
export type TrustRuleFault =
  | { readonly code: 'trust_rule.issuer_malformed' }
  /** Its keys would have to be fetched, and from an address like that nothing ever is. */
  | { readonly code: 'trust_rule.issuer_unreachable' }
  | { readonly code: 'trust_rule.subject_too_wide' }
  | {
      readonly code: 'trust_rule.owner_not_pinned';
      readonly issuerName: string;
      /** Any one of these would do; empty: the exact subject is what would. */
      readonly claims: readonly string[];
    }
  | { readonly code: 'trust_rule.keys_malformed' };

export type TrustRuleFailure =
  | TrustRuleFault
  | { readonly code: 'trust_rule.name_taken'; readonly name: string }
  | { readonly code: 'trust_rule.limit_reached'; readonly limit: number }
  | { readonly code: 'trust_rule.account_not_found' }
  | { readonly code: 'trust_rule.not_found' };
