import { z } from 'zod';
import { commonConfig, databaseUrl, publicUrl } from '../../shared/config/index.ts';

export const configSchema = z.object({
  ...commonConfig,
  /** For a login in uos_app. */
  DATABASE_URL: databaseUrl,
  /** Path of the wrapping key (base64 of 32 bytes, mode 600). */
  WRAPPING_KEY_FILE: z.string().min(1),
  /** Issuer and audience of the access tokens that callers present. */
  ISSUER_URL: publicUrl,
  AUDIENCE: z.url(),
  /** Decides what a caller may do; read at start. */
  POLICY_BUNDLE_DIRECTORY: z.string().min(1).default('policies/bundle'),
  /** Where exports are: `file:///...` or `s3://bucket?endpoint=https://host`. */
  OBJECT_STORE_URL: z.url({ protocol: /^(file|s3)$/, error: 'must be a file: or s3: URL' }),
  OBJECT_STORE_ACCESS_KEY_ID: z.string().optional(),
  OBJECT_STORE_SECRET_ACCESS_KEY: z.string().optional(),
});

/** Both halves or none. */
export function objectStoreCredentials(config: z.infer<typeof configSchema>) {
  const { OBJECT_STORE_ACCESS_KEY_ID: accessKeyId, OBJECT_STORE_SECRET_ACCESS_KEY: secretAccessKey } = config;
  return accessKeyId === undefined || secretAccessKey === undefined
    ? {}
    : { credentials: { accessKeyId, secretAccessKey } };
}
