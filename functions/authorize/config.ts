import { z } from 'zod';
import {
  commonConfig,
  databaseUrl,
  eventPublisherUrl,
  hasKeyWrapper,
  hasWholeCredentials,
  hasWholeRedis,
  keyWrapperConfig,
  objectStoreCredentialConfig,
  publicUrl,
  redisConfig,
} from '../../shared/config/index.ts';
import { policyConfig, requireTrust } from './policy-settings.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    /** For a login in uos_app, and straight to PostgreSQL: LISTEN does not pass a transaction-mode pooler. */
    DATABASE_URL: databaseUrl,
    ...keyWrapperConfig,
    /** Issuer and audience of the access tokens that callers present. */
    ISSUER_URL: publicUrl,
    AUDIENCE: z.url(),
    /** Where callers reach this function: every address in the discovery document starts with it. */
    PUBLIC_URL: publicUrl,
    ...policyConfig,
    /**
     * Questions a second and at once that one caller may ask; a batch counts by its items. Of each instance; with Redis of
     * all together, settled within a tenth of a second after.
     */
    CALLER_RATE_PER_SECOND: z.coerce.number().positive().default(2_000),
    CALLER_BURST: z.coerce.number().int().min(100).default(4_000),
    /** The same of one of its API keys. */
    KEY_RATE_PER_SECOND: z.coerce.number().positive().default(1_000),
    KEY_BURST: z.coerce.number().int().min(100).default(2_000),
    /**
     * API keys a second and at once that may be looked up for one address and be wrong; services behind a mesh share one.
     * At once: below what waits for the database, so that others are looked up meanwhile.
     */
    ADDRESS_FAILURES_PER_SECOND: z.coerce.number().positive().max(1_000_000).default(50),
    ADDRESS_FAILURE_BURST: z.coerce.number().int().min(1).max(10_000_000).default(400),
    ...redisConfig,
    /** For policy bundles at `s3:` addresses. */
    ...objectStoreCredentialConfig,
    /** Where a copy of them goes as they are made, to the topic `audit.decision`; absent: nowhere. */
    DECISION_STREAM_URL: eventPublisherUrl.optional(),
    /** Where the last use of API keys is told; absent: nowhere. */
    EVENT_PUBLISHER_URL: eventPublisherUrl.optional(),
  })
  .refine(...hasKeyWrapper)
  .refine(...hasWholeRedis)
  .refine(...hasWholeCredentials)
  .check(requireTrust);
