import { z } from 'zod';
import { commonConfig, databaseUrl } from '../../shared/config/index.ts';

export const configSchema = z.object({
  ...commonConfig,
  /** For a login in uos_app. */
  DATABASE_URL: databaseUrl,
  /** base64 of 32 bytes, readable by its owner alone: unwraps the key that webhook secrets are sealed with. */
  WRAPPING_KEY_FILE: z.string(),
});
