import { z } from 'zod';
import {
  callerLimitConfig,
  commonConfig,
  databaseUrl,
  eventPublisherUrl,
  hasKeyWrapper,
  hasWholeRedis,
  issuerList,
  keyWrapperConfig,
  publicUrl,
  redisConfig,
  secondsFrom,
} from '../../shared/config/index.ts';
import { githubKeysUrl } from '../../shared/leak-report/index.ts';
import { signingAlgorithms } from '../../shared/signing-key/index.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    DATABASE_URL: databaseUrl,
    /** Where the last use of API keys is told; absent: nowhere. */
    EVENT_PUBLISHER_URL: eventPublisherUrl.optional(),
    ...keyWrapperConfig,
    /** `iss` of every token and base of every address in the discovery document. */
    ISSUER_URL: publicUrl.refine((text) => new URL(text).pathname === '/', 'must not have a path'),
    /** `aud` of every token: the one resource (RFC 8707) that tokens are for. */
    AUDIENCE: z.url(),
    /** Issuers of workload tokens at private addresses or without TLS; admin is given the same. */
    INTERNAL_ISSUERS: issuerList,
    /** Decides who may act for whom; read at start. */
    POLICY_BUNDLE_DIRECTORY: z.string().min(1).default('policies/bundle'),
    /** Signs every token, whatever its audience. One of key-rotation's SIGNING_ALGORITHMS. */
    SIGNING_ALGORITHM: z.enum(signingAlgorithms).default('ES256'),
    ...callerLimitConfig,
    ...redisConfig,
    /** Where GitHub publishes the keys it signs alerts of leaked keys with; a mirror inside may be http. */
    GITHUB_ALERT_SIGNERS_URL: z.url({ protocol: /^https?$/ }).default(githubKeysUrl),
    /** How long a verifier may keep the key set. key-rotation's PUBLISH_LEAD_SECONDS must be longer. */
    JWKS_MAX_AGE_SECONDS: secondsFrom(1, 86_400).default(300),
  })
  .refine(...hasKeyWrapper)
  .refine(...hasWholeRedis);
