import { continueDataKeyRotations, type RewrapDeps, rewrapDataKeys } from '../../shared/rewrap/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';

export type RewrapKeysDeps = { readonly rewrap: RewrapDeps; readonly logger: Logger };

/**
 * Puts data keys under the newest wrapping key, and takes open rotations one slice further, whatever became of the
 * first. Never fails the tick: what is left is in the database for the next one, and every secret opens meanwhile.
 */
export async function rewrapKeys(deps: RewrapKeysDeps): Promise<void> {
  const warn = (error: unknown) => deps.logger.warn({ error }, 'Keys were not wrapped or sealed anew');
  await wrapAnew(deps).catch(warn);
  await continueRotations(deps).catch(warn);
}

async function wrapAnew({ rewrap, logger }: RewrapKeysDeps): Promise<void> {
  const { done, unreadable } = await rewrapDataKeys(rewrap);
  for (const { purpose, version } of done) logger.info({ purpose, version }, 'Data key wrapped anew');
  for (const { dataKeyId, purpose, version } of unreadable)
    logger.error({ dataKeyId, purpose, version }, 'A data key does not unwrap, and stays as it is');
}

/** The row is the request and a tick finds it, so a request that meets another run is done. */
export async function continueRotations({ rewrap, logger }: RewrapKeysDeps): Promise<void> {
  const continued = await continueDataKeyRotations(rewrap);
  if (!continued.ok) return;
  for (const { id, purpose, status, rowsDone, rowsTotal, rowsUnreadable } of continued.value.advanced) {
    const progress = { rotationId: id, purpose, status, rowsDone, rowsTotal, rowsUnreadable };
    if (rowsUnreadable > 0) logger.error(progress, 'Rows do not open; their data key is kept');
    else logger.info(progress, 'Data key rotation continued');
  }
  for (const { rotation, cause } of continued.value.failed)
    logger.error(
      { rotationId: rotation.id, purpose: rotation.purpose, error: cause },
      'A data key rotation cannot go on',
    );
}
