import { z } from 'zod';
import { commonConfig, databaseUrl } from '../../shared/config/index.ts';

export const configSchema = z.object({
  ...commonConfig,
  /** For a login in uos_relay, and straight to PostgreSQL: LISTEN does not pass a transaction-mode pooler. */
  DATABASE_URL: databaseUrl,
  /** `kafka://host:port[,...]`, or `http(s)://...` of a router that takes events at `<url>/<topic>`. */
  EVENT_PUBLISHER_URL: z
    .string()
    .regex(/^(kafka|https?):\/\/./, 'must be a kafka://, http:// or https:// URL'),
});
