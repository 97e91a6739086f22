import { errors, type JWTPayload, jwtVerify } from 'jose';
import { z } from 'zod';
import { apiKeyId } from '../api-key/index.ts';
import { type Clock, type Fail, fail, ok, type Result } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import { isRetired, type SigningKeySet, signingAlgorithms } from '../signing-key/index.ts';
import {
  type AccessTokenClaims,
  type AccessTokenRefusal,
  type AccessTokenRefusalReason,
  accessTokenTtlSeconds,
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

const claimsSchema = z.object({
  sub: z.string().refine(serviceAccountId.is),
  client_id: z.string(),
  org_id: z.string().refine(organizationId.is),
  api_key_id: z.string().refine(apiKeyId.is),
  jti: z.string().min(1).max(256),
  aud: z.string(),
  iat: z.int(),
  exp: z.int(),
  scope: z.string().max(1_024).default(''),
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
  if (!claims.success || claims.data.client_id !== claims.data.sub) return refuse('claims');
  const { sub, org_id, api_key_id, jti, aud, scope, iat, exp } = claims.data;
  return ok({
    ...verified,
    subject: serviceAccountId.require(sub),
    organizationId: organizationId.require(org_id),
    apiKeyId: apiKeyId.require(api_key_id),
    tokenId: jti,
    audience: aud,
    scope,
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
  });
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
