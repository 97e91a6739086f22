import { z } from 'zod';
import { commonConfig, databaseUrl, eventPublisherUrl } from '../../shared/config/index.ts';

export const configSchema = z.object({
  ...commonConfig,
  /** For a login in uos_relay, and straight to PostgreSQL: LISTEN does not pass a transaction-mode pooler. */
  DATABASE_URL: databaseUrl,
  EVENT_PUBLISHER_URL: eventPublisherUrl,
});
