import { z } from 'zod';
import {
  commonConfig,
  databaseUrl,
  hasKeyWrapper,
  keyWrapperConfig,
  secondsFrom,
} from '../../shared/config/index.ts';
import { refreshSeconds } from '../../shared/secret/index.ts';
import { signingAlgorithms } from '../../shared/signing-key/index.ts';

const day = 86_400;

export const configSchema = z
  .object({
    ...commonConfig,
    DATABASE_URL: databaseUrl,
    ...keyWrapperConfig,
    /** Algorithms that are kept side by side, each with an active key; token's SIGNING_ALGORITHM is one of them. */
    SIGNING_ALGORITHMS: z
      .string()
      .default(signingAlgorithms.join(','))
      .transform((text) => text.split(','))
      .pipe(z.array(z.enum(signingAlgorithms)).min(1)),
    /** Age at which the newest signing key gets a successor. */
    ROTATION_INTERVAL_SECONDS: secondsFrom(60, 365 * day).default(30 * day),
    /** From publication of a signing key to its first use. */
    PUBLISH_LEAD_SECONDS: secondsFrom(2, day).default(600),
    /** As given to the token function: how long a verifier may keep the key set. */
    JWKS_MAX_AGE_SECONDS: secondsFrom(1, day).default(300),
    /** From making a data key to its first seal: longer than a process may not look for new ones. */
    DATA_KEY_LEAD_SECONDS: secondsFrom(2 * refreshSeconds, day).default(300),
    /** How long an old data key outlives the last row that needed it. */
    DATA_KEY_GRACE_SECONDS: secondsFrom(0, 30 * day).default(3_600),
    /** How long a tick seals rows anew, half of it resting; below the time that a request may take. */
    REWRAP_SLICE_SECONDS: secondsFrom(1, 90).default(45),
  })
  .refine(...hasKeyWrapper)
  .refine((config) => config.PUBLISH_LEAD_SECONDS > config.JWKS_MAX_AGE_SECONDS, {
    path: ['PUBLISH_LEAD_SECONDS'],
    message: 'must exceed JWKS_MAX_AGE_SECONDS, or tokens appear that a cached key set cannot verify',
  })
  .refine((config) => config.ROTATION_INTERVAL_SECONDS > config.PUBLISH_LEAD_SECONDS, {
    path: ['ROTATION_INTERVAL_SECONDS'],
    message: 'must exceed PUBLISH_LEAD_SECONDS',
  });
