import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { ResourceStore } from './resource-store.ts';

/** What the use cases of this module stand on. */
export type ResourceDeps = {
  readonly pool: DatabasePool;
  readonly store: ResourceStore;
  readonly events: EventRecorder;
  readonly clock: Clock;
};
