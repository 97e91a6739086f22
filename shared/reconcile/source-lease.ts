import { releaseLease, takeLease } from '../db/index.ts';
import type { GitSourceId } from '../git-source/index.ts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import { reconcileRunId } from './reconcile-run-store.ts';

// Short, so that the lease of a run that was killed is soon free; renewed, so that a long run keeps it.
const ttlSeconds = 10;
const renewEveryMs = 3_000;

/**
 * One run per source at a time, to spare work: what makes runs harmless to each other are the locks of the apply
 * transaction. `isHeld` turns false when another run took over. Undefined when another run holds the lease.
 */
export async function withSourceLease<T>(
  deps: Pick<ReconcileDeps, 'pool' | 'clock' | 'random'>,
  sourceId: GitSourceId,
  work: (isHeld: () => boolean) => Promise<T>,
): Promise<T | undefined> {
  const request = { name: `reconcile:${sourceId}`, holder: reconcileRunId.create(deps), ttlSeconds };
  let lease = await takeLease(deps.pool, request);
  if (lease === undefined) return undefined;
  let renewal: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // A renewal that fails may be followed by one that does not, before the time is up.
    renewal = takeLease(deps.pool, request).then(
      (renewed) => {
        lease = renewed;
      },
      () => undefined,
    );
  }, renewEveryMs);
  try {
    return await work(() => lease !== undefined);
  } finally {
    clearInterval(timer);
    await renewal;
    if (lease !== undefined) await releaseLease(deps.pool, lease);
  }
}
