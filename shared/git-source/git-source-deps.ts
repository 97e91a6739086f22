import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import type { GitSourceStore } from './git-source-store.ts';

/** What the use cases of this module stand on. `webhookSecrets` is the key ring of purpose `git-source`. */
export type GitSourceDeps = {
  readonly pool: DatabasePool;
  readonly store: GitSourceStore;
  readonly events: EventRecorder;
  readonly webhookSecrets: KeyRing;
  readonly clock: Clock;
  readonly random: Random;
};
