import { type DatabasePool, withSystem } from '../db/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { TokenUseStore } from './token-use-store.ts';

export type PruneTokenUsesDeps = {
  readonly pool: DatabasePool;
  readonly store: Pick<TokenUseStore, 'removeExpired'>;
  readonly clock: Clock;
};

const batchMax = 500;
const batchesMax = 20;

/** Deletes the uses of tokens that have expired, batch by batch. What one run leaves, the next one takes. */
export async function pruneTokenUses(deps: PruneTokenUsesDeps): Promise<number> {
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
