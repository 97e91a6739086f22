import { errors } from 'jose';
import { type Fail, fail } from '../kernel/index.ts';
import type { IssuerKeysFailure } from '../remote-jwks/index.ts';

/** For the trail of the rule's own organization and for logs; every workload is answered alike. */
export type WorkloadTokenRefusal = {
  readonly code: 'workload_token.refused';
  readonly reason:
    | 'malformed'
    | 'type'
    | 'algorithm'
    | `keys_unavailable:${IssuerKeysFailure['reason']}`
    | 'unknown_key'
    | 'signature'
    | 'issuer'
    | 'audience'
    | 'expired'
    | 'expiry_too_far'
    | 'too_old'
    | 'not_yet_valid'
    | 'claims'
    | 'subject'
    | 'required_claim';
};

/** Undefined when it is no fault of the token or its key. */
export function refusalOf(error: unknown): WorkloadTokenRefusal['reason'] | undefined {
  if (error instanceof errors.JOSEError) return reasonOf(error);
  // Thrown of a key that cannot be used: too short, or a point off its curve. It is as good as none.
  return error instanceof TypeError || error instanceof DOMException ? 'unknown_key' : undefined;
}

function reasonOf(error: errors.JOSEError): WorkloadTokenRefusal['reason'] {
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'unknown_key';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWTExpired) return error.claim === 'iat' ? 'too_old' : 'expired';
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'malformed';
  if (error.claim === 'iss') return 'issuer';
  if (error.claim === 'aud') return 'audience';
  const isAboutTime = error.claim === 'nbf' || error.claim === 'iat';
  return isAboutTime && error.reason === 'check_failed' ? 'not_yet_valid' : 'claims';
}

export function refuse(reason: WorkloadTokenRefusal['reason']): Fail<WorkloadTokenRefusal> {
  return fail({ code: 'workload_token.refused', reason });
}
