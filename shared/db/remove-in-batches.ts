import type { DatabasePool } from './pool.ts';
import { type SystemTransaction, withSystem } from './transaction.ts';

const batchMax = 500;
const batchesMax = 20;

/**
 * Deletes what has expired, batch by batch so that no transaction is long. `remove` deletes at most `limit` rows and
 * says how many. What one run leaves, the next one takes. Returns how many were deleted.
 */
export async function removeInBatches(
  pool: DatabasePool,
  remove: (tx: SystemTransaction, limit: number) => Promise<number>,
): Promise<number> {
  let total = 0;
  for (let batch = 0; batch < batchesMax; batch++) {
    const removed = await withSystem(pool, (tx) => remove(tx, batchMax));
    total += removed;
    if (removed < batchMax) break;
  }
  return total;
}
