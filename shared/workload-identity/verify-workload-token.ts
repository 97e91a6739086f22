import { createHash } from 'node:crypto';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { type Clock, ok, type Result, secondsAfter, toNumericDate } from '../kernel/index.ts';
import type { IssuerKeys } from '../remote-jwks/index.ts';
import { hasRequiredClaim } from './required-claim.ts';
import { matchesSubject } from './subject-pattern.ts';
import { type TrustRule, tokenAgeSecondsBounds } from './trust-rule.ts';
import { refusalOf, refuse, type WorkloadTokenRefusal } from './workload-token-refusal.ts';

export type VerifyWorkloadTokenDeps = {
  readonly issuerKeys: Pick<IssuerKeys, 'find'>;
  readonly clock: Clock;
};

export type WorkloadToken = {
  readonly subject: string;
  /** The last moment at which this rule takes the token: its `exp` or its age, whichever ends first, and the skew. */
  readonly acceptedUntil: Date;
  /** The last moment at which any rule could take it: rules of one organization may differ in the age. */
  readonly usedUntil: Date;
  /** Of what may be used once; says nothing about the token. */
  readonly useDigest: Uint8Array;
};

/** How far a foreign issuer's clock may differ from ours. */
const workloadSkewSeconds = 60;
/** Asymmetric all of them: a rule holds no secret (RFC 8725 section 3.1). */
export const workloadAlgorithms = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'];
const tokenBytesMax = 16_384;
const subjectLengthMax = 2_048;
/** Some clusters hand out tokens for a year. Further ahead no date means anything. */
const expiryAheadSecondsMax = 366 * 86_400;

/**
 * RFC 7523 section 3, with all that it leaves to choice chosen: `iss`, `sub`, one `aud`, `exp` and `iat` must be there,
 * `nbf` is obeyed, and the token must be of no kind that is meant for something else (RFC 8725 section 3.11).
 */
export async function verifyWorkloadToken(
  deps: VerifyWorkloadTokenDeps,
  rule: TrustRule,
  token: string,
): Promise<Result<WorkloadToken, WorkloadTokenRefusal>> {
  const header = readHeader(token);
  if (header === undefined) return refuse('malformed');
  if (header.typ !== undefined && !/^(?:application\/)?jwt$/i.test(header.typ)) return refuse('type');
  if (!workloadAlgorithms.includes(header.alg ?? '')) return refuse('algorithm');
  const { issuer, organizationId, jwks } = rule;
  const keys =
    jwks === undefined
      ? await deps.issuerKeys.find({ issuer, kid: header.kid, organizationId })
      : ok(createLocalJWKSet(jwks));
  if (!keys.ok) return refuse(`keys_unavailable:${keys.failure.reason}`);
  const now = deps.clock.now();
  const verified = await verifySignature({ rule, token, now }, keys.value);
  return verified.ok ? checkClaims({ rule, token, now }, verified.value) : verified;
}

type Presented = { readonly rule: TrustRule; readonly token: string; readonly now: Date };

async function verifySignature(
  { rule, token, now }: Presented,
  getKey: JWTVerifyGetKey,
): Promise<Result<JWTPayload, WorkloadTokenRefusal>> {
  try {
    const { payload } = await jwtVerify(token, getKey, {
      algorithms: workloadAlgorithms,
      issuer: rule.issuer,
      audience: rule.audience,
      currentDate: now,
      clockTolerance: workloadSkewSeconds,
      maxTokenAge: rule.tokenAgeSecondsMax,
      requiredClaims: ['iss', 'sub', 'aud', 'exp', 'iat'],
    });
    return ok(payload);
  } catch (error) {
    const reason = refusalOf(error);
    if (reason !== undefined) return refuse(reason);
    throw error;
  }
}

function readHeader(token: string) {
  if (token.length > tokenBytesMax || token.split('.').length !== 3) return undefined;
  try {
    const { typ, alg, kid } = decodeProtectedHeader(token);
    return kid === undefined || typeof kid === 'string' ? { typ, alg, kid } : undefined;
  } catch {
    return undefined;
  }
}

function checkClaims(
  { rule, token, now }: Presented,
  { sub, aud, exp, iat, jti, ...claims }: JWTPayload,
): Result<WorkloadToken, WorkloadTokenRefusal> {
  if (Array.isArray(aud) && aud.length !== 1) return refuse('audience');
  if (typeof sub !== 'string' || sub.length > subjectLengthMax) return refuse('claims');
  if (exp === undefined || iat === undefined) return refuse('claims');
  if (exp > toNumericDate(now) + expiryAheadSecondsMax) return refuse('expiry_too_far');
  if (jti !== undefined && typeof jti !== 'string') return refuse('claims');
  if (!matchesSubject(rule.subjectPattern, sub)) return refuse('subject');
  const all = { ...claims, sub, aud, exp, iat, jti };
  if (!rule.requiredClaims.every((claim) => hasRequiredClaim(all, claim))) return refuse('required_claim');
  return ok({
    subject: sub,
    acceptedUntil: lastMoment(exp, iat + rule.tokenAgeSecondsMax),
    usedUntil: lastMoment(exp, iat + tokenAgeSecondsBounds.max),
    useDigest: digestOf(rule, jti === undefined ? `jws ${signedPart(token)}` : `jti ${jti}`),
  });
}

function lastMoment(...ends: number[]): Date {
  return secondsAfter(new Date(Math.min(...ends) * 1000), workloadSkewSeconds);
}

/**
 * Within the organization: another one may have a rule of the same issuer with keys of its own choice, and must not be
 * able to use up ids here. Without a `jti` what was signed counts; a signature can be altered and still verify.
 */
function digestOf({ organizationId, issuer }: TrustRule, id: string): Uint8Array {
  return createHash('sha256').update(`${organizationId}\n${issuer}\n${id}`).digest();
}

function signedPart(token: string): string {
  return token.slice(0, token.lastIndexOf('.'));
}
