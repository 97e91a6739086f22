import { withOrg } from '../db/index.ts';
import { secondsAfter } from '../kernel/index.ts';
import { platformOrganizationId } from '../organization/index.ts';
import type { PrunedPage, PruningPage } from './idempotency-record-store.ts';
import { type IdempotencyDeps, retentionSeconds } from './run-once.ts';

export type PruneIdempotencyRecordsDeps = Pick<IdempotencyDeps, 'pool' | 'store' | 'clock'>;

/** How far one call goes; what it leaves, the next one takes. */
const limits = { organizationsOfPage: 1_000, recordsOfPage: 1_000, recordsMax: 10_000 };

/** Deletes expired answers of all organizations, also of those that never ask again. Returns how many. */
export async function pruneIdempotencyRecords({
  pool,
  store,
  clock,
}: PruneIdempotencyRecordsDeps): Promise<number> {
  const expiredBefore = secondsAfter(clock.now(), -retentionSeconds);
  let total = 0;
  for (let after: string | undefined = ''; after !== undefined && total < limits.recordsMax; ) {
    const place: Omit<PruningPage, 'expiredBefore'> = {
      after,
      organizationsMax: limits.organizationsOfPage,
      recordsMax: limits.recordsOfPage,
    };
    const page: PrunedPage = await withOrg(pool, platformOrganizationId, (tx) =>
      store.prune(tx, { ...place, expiredBefore }),
    );
    total += page.removed;
    after = page.lookedUntil;
  }
  return total;
}
