import type { Logger } from '../../shared/telemetry/index.ts';
import { type PruneOidcRecordsDeps, pruneOidcRecords } from '../../shared/token/index.ts';
import { type PruneTokenUsesDeps, pruneTokenUses } from '../../shared/workload-identity/index.ts';

export type PruneRecordsDeps = {
  readonly records: PruneOidcRecordsDeps;
  readonly tokenUses: PruneTokenUsesDeps;
  readonly logger: Logger;
};

/** Never fails the tick: what could not be deleted now is deleted by a later one, and is expired meanwhile. */
export async function pruneRecords({ records, tokenUses, logger }: PruneRecordsDeps): Promise<void> {
  try {
    const removed = await pruneOidcRecords(records);
    const uses = await pruneTokenUses(tokenUses);
    if (removed + uses > 0) logger.info({ removed, uses }, 'Expired OAuth records and token uses deleted');
  } catch (error) {
    logger.warn({ error }, 'Expired OAuth records were not deleted');
  }
}
