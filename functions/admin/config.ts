import { z } from 'zod';
import {
  callerLimitConfig,
  commonConfig,
  databaseUrl,
  eventPublisherUrl,
  hasKeyWrapper,
  hasWholeCredentials,
  hasWholeRedis,
  issuerList,
  keyWrapperConfig,
  objectStoreConfig,
  publicUrl,
  redisConfig,
} from '../../shared/config/index.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    /** For a login in uos_app. */
    DATABASE_URL: databaseUrl,
    /** Where the last use of API keys is told; absent: nowhere. */
    EVENT_PUBLISHER_URL: eventPublisherUrl.optional(),
    ...keyWrapperConfig,
    /** Issuer and audience of the access tokens that callers present. */
    ISSUER_URL: publicUrl,
    AUDIENCE: z.url(),
    /** Issuers of workload tokens at private addresses or without TLS; token is given the same. */
    INTERNAL_ISSUERS: issuerList,
    /** Decides what a caller may do; read at start. */
    POLICY_BUNDLE_DIRECTORY: z.string().min(1).default('policies/bundle'),
    ...callerLimitConfig,
    ...redisConfig,
    /** Where exports are. */
    ...objectStoreConfig,
  })
  .refine(...hasKeyWrapper)
  .refine(...hasWholeRedis)
  .refine(...hasWholeCredentials);
