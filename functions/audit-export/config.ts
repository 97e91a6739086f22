import { z } from 'zod';
import {
  commonConfig,
  databaseUrl,
  hasWholeCredentials,
  objectStoreConfig,
} from '../../shared/config/index.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    /** For a login in uos_log. */
    DATABASE_URL: databaseUrl,
    /** Where exports are written, and the log is published. */
    ...objectStoreConfig,
  })
  .refine(...hasWholeCredentials);
