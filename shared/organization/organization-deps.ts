import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { OrganizationStore } from './organization-store.ts';

/** What the use cases of this module stand on. */
export type OrganizationDeps = {
  readonly pool: DatabasePool;
  readonly store: OrganizationStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
};
