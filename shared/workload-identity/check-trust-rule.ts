import { type CryptoKey, importJWK } from 'jose';
import { type Fail, fail } from '../kernel/index.ts';
import { isIssuerUrl, isPublicUrl, type JsonWebKeySet } from '../remote-jwks/index.ts';
import { findMissingPin } from './shared-issuer.ts';
import { isSubjectPattern } from './subject-pattern.ts';
import type { TrustRule } from './trust-rule.ts';
import type { TrustRuleFault } from './trust-rule-failure.ts';
import { workloadAlgorithms } from './verify-workload-token.ts';

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
  const usable = await Promise.all((rule.jwks?.keys ?? []).map(canVerify));
  if (usable.includes(false)) return fail({ code: 'trust_rule.keys_malformed' });
  return undefined;
}

const modulusBitsMin = 2_048;

/** A key that cannot verify anything would be noticed by the workload, at night. */
async function canVerify(key: JsonWebKeySet['keys'][number]): Promise<boolean> {
  const algorithmOf = { RSA: 'RS256', EC: key.crv === 'P-384' ? 'ES384' : 'ES256', OKP: 'EdDSA' };
  const algorithm = key.alg ?? algorithmOf[key.kty];
  if (!workloadAlgorithms.includes(algorithm)) return false;
  try {
    const imported = await importJWK(key, algorithm);
    if (imported instanceof Uint8Array) return false;
    return key.kty !== 'RSA' || modulusBitsOf(imported) >= modulusBitsMin;
  } catch {
    return false;
  }
}

function modulusBitsOf({ algorithm }: CryptoKey): number {
  return 'modulusLength' in algorithm ? Number(algorithm.modulusLength) : 0;
}
