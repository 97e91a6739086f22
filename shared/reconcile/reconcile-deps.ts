import type { DatabasePool } from '../db/index.ts';
import type { GitRepository } from '../declarative/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { GitSourceStore } from '../git-source/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { SubjectKeyDeps } from '../personal-data/index.ts';
import type { DirectoryStore } from './directory-store.ts';
import type { ReconcileRunStore } from './reconcile-run-store.ts';
import type { SourceStatusStore } from './source-status-store.ts';

/** What the use cases of this module stand on. */
export type ReconcileDeps = {
  readonly pool: DatabasePool;
  readonly sources: GitSourceStore;
  readonly statuses: SourceStatusStore;
  readonly runs: ReconcileRunStore;
  readonly directory: DirectoryStore;
  readonly repository: GitRepository;
  readonly events: EventRecorder;
  readonly personalData: SubjectKeyDeps;
  readonly clock: Clock;
  readonly random: Random;
};
