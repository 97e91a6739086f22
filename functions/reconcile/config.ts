import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { commonConfig, databaseUrl, hasKeyWrapper, keyWrapperConfig } from '../../shared/config/index.ts';

export const configSchema = z
  .object({
    ...commonConfig,
    /** For a login in uos_app. */
    DATABASE_URL: databaseUrl,
    /** Guards the keys that texts about persons enter events under. */
    ...keyWrapperConfig,
    /** Keeps fetched packs. Writable, never shared between processes, may be emptied at any time. */
    GIT_CACHE_DIRECTORY: z.string().default(() => join(tmpdir(), `uos-git-${process.pid}`)),
  })
  .refine(...hasKeyWrapper);
