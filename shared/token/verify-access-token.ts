import { errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { type ApiKeyId, apiKeyId } from '../api-key/index.ts';
import { type Clock, type Fail, fail, ok, type Result } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { type ServiceAccountId, serviceAccountId } from '../service-account/index.ts';
import { isRetired, type SigningKeySet, signingAlgorithms } from '../signing-key/index.ts';
import { trustRuleId } from '../workload-identity/index.ts';
import {
  type AccessTokenClaims,
  type AccessTokenRefusal,
  type AccessTokenRefusalReason,
  type ActingParty,
  accessTokenTtlSeconds,
  actorsMax,
  type IssuedFor,
  verifierSkewSeconds,
} from './access-token.ts';

export type VerifyAccessTokenDeps = {
  readonly keys: SigningKeySet;
  readonly issuer: string;
  readonly audience: string;
  readonly clock: Clock;
};

const tokenBytesMax = 8_192;

/**
 * The header our issuer writes, member by member. Being strict refuses `jku`, `x5u`, `jwk`, `x5c` and `crit`, which
 * let a token name its own key or rules; `typ` keeps an ID token from passing as an access token (RFC 8725
 * sections 3.1, 3.10 and 3.11).
 */
const headerSchema = z.strictObject({
  alg: z.enum(signingAlgorithms),
  typ: z.literal('at+jwt'),
  kid: z.string().min(1).max(128),
});

const subject = z.string().refine(serviceAccountId.is);
const apiKey = z.string().refine(apiKeyId.is);

/** Nested no deeper than we issue: what is beyond is a token of nobody's. */
type ActClaim = { sub: ServiceAccountId; api_key_id: ApiKeyId; act?: ActClaim | undefined };
const noAct: z.ZodType<ActClaim | undefined> = z.undefined();
const actSchema = Array.from({ length: actorsMax }).reduce<z.ZodType<ActClaim | undefined>>(
  (inner) => z.strictObject({ sub: subject, api_key_id: apiKey, act: inner.optional() }),
  noAct,
);

const claimsSchema = z.object({
  sub: subject,
  client_id: z.string(),
  org_id: z.string().refine(organizationId.is),
  api_key_id: apiKey.optional(),
  trust_rule_id: z.string().refine(trustRuleId.is).optional(),
  act: actSchema.optional(),
  jti: z.string().min(1).max(256),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  scope: z.string().max(4_096).default(''),
});

/**
 * Verifies an access token of our own issuer, RFC 9068 section 4. The algorithm is that of the key, never the one the
 * token claims. Throws when the keys cannot be read.
 */
export async function verifyAccessToken(
  deps: VerifyAccessTokenDeps,
  jwt: string,
): Promise<Result<AccessTokenClaims, AccessTokenRefusal>> {
  if (jwt.length > tokenBytesMax || jwt.split('.').length !== 3) return refuse('malformed');
  const header = readHeader(jwt);
  if (header === undefined) return refuse('malformed');
  const known = headerSchema.safeParse(header);
  if (!known.success) return refuse('header');
  const key = await deps.keys.find(known.data.kid);
  const now = deps.clock.now();
  if (key === undefined || isRetired(key, now)) return refuse('unknown_key');
  if (known.data.alg !== key.algorithm) return refuse('header');
  try {
    const { payload } = await jwtVerify(jwt, key.publicKey, {
      algorithms: [key.algorithm],
      typ: 'at+jwt',
      issuer: deps.issuer,
      audience: deps.audience,
      currentDate: now,
      clockTolerance: verifierSkewSeconds,
      maxTokenAge: accessTokenTtlSeconds,
      requiredClaims: ['exp', 'iat', 'jti', 'sub', 'client_id', 'org_id'],
    });
    return toClaims(payload, { issuer: deps.issuer, keyId: key.keyId });
  } catch (error) {
    if (error instanceof errors.JOSEError) return refuse(reasonOf(error));
    throw error;
  }
}

function readHeader(jwt: string): unknown {
  try {
    return JSON.parse(Buffer.from(jwt.slice(0, jwt.indexOf('.')), 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function toClaims(
  payload: JWTPayload,
  verified: { issuer: string; keyId: string },
): Result<AccessTokenClaims, AccessTokenRefusal> {
  const claims = claimsSchema.safeParse(payload);
  if (!claims.success) return refuse('claims');
  const { sub, org_id, jti, aud, scope, iat, exp } = claims.data;
  const issuedFor = issuedForOf(claims.data);
  const actors = actorsOf(claims.data.act);
  // The client is whoever asked: an actor, the workload of a rule, or the subject itself.
  const client = actors[0]?.subject ?? (issuedFor?.type === 'trust_rule' ? issuedFor.id : sub);
  if (issuedFor === undefined || claims.data.client_id !== client) return refuse('claims');
  return ok({
    ...verified,
    subject: sub,
    organizationId: organizationId.require(org_id),
    issuedFor,
    actors,
    tokenId: jti,
    audience: aud,
    scope,
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
  });
}

/** Exactly one of the two. */
function issuedForOf({ api_key_id, trust_rule_id }: z.output<typeof claimsSchema>): IssuedFor | undefined {
  if ((api_key_id === undefined) === (trust_rule_id === undefined)) return undefined;
  if (api_key_id !== undefined) return { type: 'api_key', id: api_key_id };
  return trust_rule_id && { type: 'trust_rule', id: trust_rule_id };
}

function actorsOf(act: ActClaim | undefined): ActingParty[] {
  if (act === undefined) return [];
  return [{ subject: act.sub, apiKeyId: act.api_key_id }, ...actorsOf(act.act)];
}

function reasonOf(error: errors.JOSEError): AccessTokenRefusalReason {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'signature';
  if (error instanceof errors.JWTExpired) return 'expired';
  if (!(error instanceof errors.JWTClaimValidationFailed)) return 'malformed';
  if (error.claim === 'iss') return 'issuer';
  if (error.claim === 'aud') return 'audience';
  const isAboutTime = error.claim === 'nbf' || error.claim === 'iat';
  return isAboutTime && error.reason === 'check_failed' ? 'not_yet_valid' : 'claims';
}

function refuse(reason: AccessTokenRefusalReason): Fail<AccessTokenRefusal> {
  return fail({ code: 'access_token.refused', reason });
}
