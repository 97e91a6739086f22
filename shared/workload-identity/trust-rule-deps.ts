import type { DatabasePool } from '../db/index.ts';
import type { EventRecorder } from '../events/index.ts';
import type { Clock, Random } from '../kernel/index.ts';
import type { ServiceAccountStore } from '../service-account/index.ts';
import type { TrustRuleStore } from './trust-rule-store.ts';

/** What the use cases of this module stand on. */
export type TrustRuleDeps = {
  readonly pool: DatabasePool;
  readonly store: TrustRuleStore;
  readonly serviceAccounts: Pick<ServiceAccountStore, 'lock'>;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly random: Random;
  /** Issuers the operator lists, which may be http and at private addresses. */
  readonly internalIssuers: ReadonlySet<string>;
};
