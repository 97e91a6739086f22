import { type PruneIdempotencyRecordsDeps, pruneIdempotencyRecords } from '../../shared/idempotency/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { type PruneOidcRecordsDeps, pruneOidcRecords } from '../../shared/token/index.ts';
import { type PruneTokenUsesDeps, pruneTokenUses } from '../../shared/workload-identity/index.ts';

export type PruneRecordsDeps = {
  readonly records: PruneOidcRecordsDeps;
  readonly tokenUses: PruneTokenUsesDeps;
  readonly answers: PruneIdempotencyRecordsDeps;
  readonly logger: Logger;
};

/** Never fails the tick: what could not be deleted now is deleted by a later one, and is expired meanwhile. */
export async function pruneRecords({ records, tokenUses, answers, logger }: PruneRecordsDeps): Promise<void> {
  const prune = async (what: string, remove: () => Promise<number>) => {
    try {
      const removed = await remove();
      if (removed > 0) logger.info({ what, removed }, 'Expired records deleted');
    } catch (error) {
      logger.warn({ what, error }, 'Expired records were not deleted');
    }
  };
  await prune('OAuth records', () => pruneOidcRecords(records));
  await prune('token uses', () => pruneTokenUses(tokenUses));
  await prune('answers kept for idempotency keys', () => pruneIdempotencyRecords(answers));
}
