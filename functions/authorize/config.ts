import { z } from 'zod';
import { commonConfig, databaseUrl, publicUrl } from '../../shared/config/index.ts';

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
  /** Where decision records go: `file:///...` or `s3://bucket?endpoint=https://host`. */
  OBJECT_STORE_URL: z.url({ protocol: /^(file|s3)$/, error: 'must be a file: or s3: URL' }),
  OBJECT_STORE_ACCESS_KEY_ID: z.string().optional(),
  OBJECT_STORE_SECRET_ACCESS_KEY: z.string().optional(),
});

export type AuthorizeConfig = z.infer<typeof configSchema>;

/** Both halves or none. */
export function objectStoreCredentials(config: AuthorizeConfig) {
  const { OBJECT_STORE_ACCESS_KEY_ID: accessKeyId, OBJECT_STORE_SECRET_ACCESS_KEY: secretAccessKey } = config;
  return accessKeyId === undefined || secretAccessKey === undefined
    ? {}
    : { credentials: { accessKeyId, secretAccessKey } };
}
