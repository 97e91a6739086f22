import { continueDataKeyRotations, type RewrapDeps, rewrapDataKeys } from '../../shared/rewrap/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type RewrapKeysDeps = { readonly rewrap: RewrapDeps; readonly logger: Logger };

/**
 * Puts data keys under the newest wrapping key, and takes open rotations one slice further. Never fails the tick: what
 * is left is in the database for the next one, and every secret opens meanwhile.
 */
export async function rewrapKeys({ rewrap, logger }: RewrapKeysDeps): Promise<void> {
  try {
    for (const { purpose, version } of await rewrapDataKeys(rewrap))
      logger.info({ purpose, version }, 'Data key wrapped anew');
    await continueRotations({ rewrap, logger });
  } catch (error) {
    logger.warn({ error }, 'Keys were not wrapped or sealed anew');
  }
}

/** The row is the request and a tick finds it, so a request that meets another run is done. */
export async function continueRotations({ rewrap, logger }: RewrapKeysDeps): Promise<void> {
  const advanced = await continueDataKeyRotations(rewrap);
  if (!advanced.ok) return;
  for (const { id, purpose, status, rowsDone, rowsTotal, rowsUnreadable } of advanced.value) {
    const progress = { rotationId: id, purpose, status, rowsDone, rowsTotal, rowsUnreadable };
    if (rowsUnreadable > 0) logger.error(progress, 'Rows do not open; their data key is kept');
    else logger.info(progress, 'Data key rotation continued');
  }
}
