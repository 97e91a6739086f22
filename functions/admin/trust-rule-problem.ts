import type { ProblemFailure } from '../../shared/http/index.ts';
import { fail, type Result } from '../../shared/kernel/index.ts';
import type { TrustRuleFailure } from '../../shared/workload-identity/index.ts';
import { malformed } from './parse-request.ts';

type OwnerNotPinned = Extract<TrustRuleFailure, { code: 'trust_rule.owner_not_pinned' }>;

/** A rule that could match everyone is a fault of the field that would have to be narrower. */
export function toTrustRuleProblem(failure: TrustRuleFailure): Result<never, ProblemFailure> {
  switch (failure.code) {
    case 'trust_rule.issuer_malformed':
      return malformed([
        {
          path: 'body.issuer',
          message: 'must be an https URL in its normal form, without query or fragment',
        },
      ]);
    case 'trust_rule.issuer_unreachable':
      return malformed([
        {
          path: 'body.issuer',
          message:
            'must be a name without a port, since its keys are fetched from there; or bring them as jwks',
        },
      ]);
    case 'trust_rule.subject_too_wide':
      return malformed([
        {
          path: 'body.subjectPattern',
          message:
            'must begin with three characters that are no wildcard, name its kind and owner, as in repo:acme/* ' +
            'or system:serviceaccount:ci:*, and hold at most four wildcards',
        },
      ]);
    case 'trust_rule.owner_not_pinned':
      return malformed([toOwnerFault(failure)]);
    case 'trust_rule.keys_malformed':
      return malformed([{ path: 'body.jwks', message: 'holds a key that cannot verify a signature' }]);
    case 'trust_rule.name_taken':
      return fail({
        code: 'resource.already_exists',
        detail: `A trust rule of this account is named "${failure.name}"`,
      });
    case 'trust_rule.limit_reached':
      return fail({
        code: 'resource.conflict',
        detail: `A service account has at most ${failure.limit} trust rules`,
      });
    case 'trust_rule.account_not_found':
    case 'trust_rule.not_found':
      return fail({ code: 'resource.not_found' });
  }
}

function toOwnerFault({ issuerName, claims }: OwnerNotPinned) {
  const why = `${issuerName} signs tokens for everybody`;
  return claims.length === 0
    ? { path: 'body.subjectPattern', message: `must be one exact subject: ${why}` }
    : {
        path: 'body.requiredClaims',
        message: `must pin the owner by its immutable id, one of ${claims.join(', ')}: ${why}`,
      };
}
