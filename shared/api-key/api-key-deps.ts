import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import type { ApiKeyStore } from './api-key-store.ts';

/** What the use cases of this module stand on. `pepper` is the key ring of purpose `api-key-pepper`. */
export type ApiKeyDeps = {
  readonly pool: DatabasePool;
  readonly store: ApiKeyStore;
  readonly events: EventRecorder;
  readonly pepper: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
};
