import { importJWK } from 'jose';
import { type Fail, fail } from '../kernel/index.ts';
import { isIssuerUrl, isPublicUrl, type JsonWebKeySet } from '../remote-jwks/index.ts';
import { findMissingPin } from './shared-issuer.ts';
import { isSubjectPattern } from './subject-pattern.ts';
import type { TrustRule } from './trust-rule.ts';
import type { TrustRuleFault } from './trust-rule-failure.ts';

/** Refuses what could match everyone, before it is written. Undefined when there is nothing to refuse. */
export async function checkTrustRule(
  deps: { readonly internalIssuers: ReadonlySet<string> },
  rule: Pick<TrustRule, 'issuer' | 'subjectPattern' | 'requiredClaims' | 'jwks'>,
): Promise<Fail<TrustRuleFault> | undefined> {
  if (!isIssuerUrl(rule.issuer, deps.internalIssuers)) return fail({ code: 'trust_rule.issuer_malformed' });
  if (rule.jwks === undefined && !deps.internalIssuers.has(rule.issuer) && !isPublicUrl(rule.issuer))
    return fail({ code: 'trust_rule.issuer_unreachable' });
  if (!isSubjectPattern(rule.subjectPattern)) return fail({ code: 'trust_rule.subject_too_wide' });
  const missing = findMissingPin(rule);
  if (missing !== undefined) return fail({ code: 'trust_rule.owner_not_pinned', ...missing });
  if (rule.jwks !== undefined && !(await canBeImported(rule.jwks)))
    return fail({ code: 'trust_rule.keys_malformed' });
  return undefined;
}

/** A key that does not import would be noticed by the workload, at night. */
async function canBeImported({ keys }: JsonWebKeySet): Promise<boolean> {
  const algorithmOf = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA' };
  const imports = keys.map((key) =>
    importJWK(key, key.alg ?? (key.crv === 'P-384' ? 'ES384' : algorithmOf[key.kty])),
  );
  return (await Promise.allSettled(imports)).every(({ status }) => status === 'fulfilled');
}
