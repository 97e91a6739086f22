import { z } from 'zod';

/** What guards the data keys; see `openKeyWrapper` of shared/secret. At least one of the two. */
export const keyWrapperConfig = {
  /** A transit engine: `https://<host>/<mount>/<key>?token-file=<path>[&role=<role>]`. */
  KEY_WRAPPER_URL: z.url({ protocol: /^https?$/, error: 'must be an https: URL' }).optional(),
  /** Path of the wrapping keys: a line each, base64 of 32 bytes. Closed as `readSecretFile` of shared/secret says. */
  WRAPPING_KEY_FILE: z.string().min(1).optional(),
};

/** For the schema's `refine`. Runs although other variables are wrong: all faults are told at once. */
export const hasKeyWrapper = [
  (config: { KEY_WRAPPER_URL?: unknown; WRAPPING_KEY_FILE?: unknown }): boolean =>
    config.KEY_WRAPPER_URL !== undefined || config.WRAPPING_KEY_FILE !== undefined,
  { path: ['WRAPPING_KEY_FILE'], message: 'or KEY_WRAPPER_URL is required', when: () => true },
] satisfies [unknown, unknown];
