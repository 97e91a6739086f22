import { z } from 'zod';
import { commonConfig, databaseUrl, hasKeyWrapper, keyWrapperConfig } from '../../shared/config/index.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    /** For a login in uos_app. */
    DATABASE_URL: databaseUrl,
    ...keyWrapperConfig,
  })
  .refine(...hasKeyWrapper);
