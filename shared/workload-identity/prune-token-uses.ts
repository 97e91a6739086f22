import { type DatabasePool, removeInBatches } from '../db/index.ts';
import { secondsAfter } from '../kernel/index.ts';
import type { TokenUseStore } from './token-use-store.ts';

export type PruneTokenUsesDeps = {
  readonly pool: DatabasePool;
  readonly store: Pick<TokenUseStore, 'now' | 'removeExpired'>;
};

/**
 * Far more than clocks of ours may be apart. A use that goes while an instance whose clock is behind still takes the
 * token could be made again.
 */
const marginSeconds = 600;

/** Deletes the uses of tokens that no instance takes any more, whichever machine asks. */
export async function pruneTokenUses({ pool, store }: PruneTokenUsesDeps): Promise<number> {
  return removeInBatches(pool, async (tx, limit) =>
    store.removeExpired(tx, { before: secondsAfter(await store.now(tx), -marginSeconds), limit }),
  );
}
