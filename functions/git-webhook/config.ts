import { z } from 'zod';
import {
  addressLimitConfig,
  commonConfig,
  databaseUrl,
  hasKeyWrapper,
  hasWholeRedis,
  keyWrapperConfig,
  redisConfig,
} from '../../shared/config/index.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    /** For a login in uos_app. */
    DATABASE_URL: databaseUrl,
    ...keyWrapperConfig,
    ...addressLimitConfig,
    ...redisConfig,
  })
  .refine(...hasKeyWrapper)
  .refine(...hasWholeRedis);
