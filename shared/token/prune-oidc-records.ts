import { type DatabasePool, removeInBatches } from '../db/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { OidcRecordStore } from './oidc-record-store.ts';

export type PruneOidcRecordsDeps = {
  readonly pool: DatabasePool;
  readonly store: Pick<OidcRecordStore, 'removeExpired'>;
  readonly clock: Clock;
};

/** Deletes expired records. Returns how many; what one run leaves, the next one takes. */
export async function pruneOidcRecords(deps: PruneOidcRecordsDeps): Promise<number> {
  const before = deps.clock.now();
  return removeInBatches(deps.pool, (tx, limit) => deps.store.removeExpired(tx, { before, limit }));
}
