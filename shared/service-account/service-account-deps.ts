import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { ServiceAccountStore } from './service-account-store.ts';

/** What the use cases of this module stand on. */
export type ServiceAccountDeps = {
  readonly pool: DatabasePool;
  readonly store: ServiceAccountStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
};
