import type { Logger } from '../../shared/telemetry/index.ts';
import { type PruneOidcRecordsDeps, pruneOidcRecords } from '../../shared/token/index.ts';

export type PruneRecordsDeps = { readonly records: PruneOidcRecordsDeps; readonly logger: Logger };

/** Never fails the tick: what could not be deleted now is deleted by a later one, and is expired meanwhile. */
export async function pruneRecords({ records, logger }: PruneRecordsDeps): Promise<void> {
  try {
    const removed = await pruneOidcRecords(records);
    if (removed > 0) logger.info({ removed }, 'Expired OAuth records deleted');
  } catch (error) {
    logger.warn({ error }, 'Expired OAuth records were not deleted');
  }
}
