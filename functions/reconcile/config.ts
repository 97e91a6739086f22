import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { commonConfig, databaseUrl } from '../../shared/config/index.ts';

export const configSchema = z.object({
  ...commonConfig,
  /** For a login in uos_app. */
  DATABASE_URL: databaseUrl,
  /** Keeps fetched packs. Writable, never shared between processes, may be emptied at any time. */
  GIT_CACHE_DIRECTORY: z.string().default(() => join(tmpdir(), `uos-git-${process.pid}`)),
});
