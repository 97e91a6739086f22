import { type DatabasePool, withSystem } from '../db/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { OidcRecordStore } from './oidc-record-store.ts';

export type PruneOidcRecordsDeps = {
  readonly pool: DatabasePool;
  readonly store: Pick<OidcRecordStore, 'removeExpired'>;
  readonly clock: Clock;
};

const batchMax = 500;
const batchesMax = 20;

/**
 * Deletes expired records, batch by batch so that no transaction is long. What one run leaves, the next one takes.
 * Returns how many were deleted.
 */
export async function pruneOidcRecords(deps: PruneOidcRecordsDeps): Promise<number> {
  const before = deps.clock.now();
  let total = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const removed = await withSystem(deps.pool, (tx) =>
      deps.store.removeExpired(tx, { before, limit: batchMax }),
    );
    total += removed;
    if (removed < batchMax) break;
  }
  return total;
}
