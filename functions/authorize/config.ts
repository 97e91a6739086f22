import { z } from 'zod';
import { commonConfig, databaseUrl, objectStoreConfig, publicUrl } from '../../shared/config/index.ts';

export const configSchema = z.object({
  ...commonConfig,
  /** For a login in uos_app, and straight to PostgreSQL: LISTEN does not pass a transaction-mode pooler. */
  DATABASE_URL: databaseUrl,
  /** Path of the wrapping key (base64 of 32 bytes, mode 600). */
  WRAPPING_KEY_FILE: z.string().min(1),
  /** Issuer and audience of the access tokens that callers present. */
  ISSUER_URL: publicUrl,
  AUDIENCE: z.url(),
  /** Where callers reach this function: every address in the discovery document starts with it. */
  PUBLIC_URL: publicUrl,
  /** A bundle that replaces the built-in one; watched, so that a new one is taken up without a restart. */
  POLICY_BUNDLE_DIRECTORY: z.string().min(1).default('policies/bundle'),
  /** Where decision records go. */
  ...objectStoreConfig,
});
