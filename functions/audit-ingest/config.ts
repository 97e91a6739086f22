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
    /** Host name, and path if any, that all logs' origins begin with: no scheme, no last slash (C2SP tlog-checkpoint). */
    AUDIT_ORIGIN: z
      .string()
      .regex(/^[a-z0-9.-]+(:\d+)?(\/[A-Za-z0-9._-]+)*$/, 'must be a URL without scheme'),
    /** Ed25519, PKCS#8 PEM or base64 of the seed; closed to others as `readSecretFile` of shared/secret says. */
    AUDIT_SIGNING_KEY_FILE: z.string().min(1),
    /** Where the log is published. */
    ...objectStoreConfig,
  })
  .refine(...hasWholeCredentials);
