import { createHmac } from 'node:crypto';
import { type AuthorizationFeed, createGuardedCache } from '../authorization-feed/index.ts';
import { type DatabasePool, withOrg } from '../db/index.ts';
import { type Clock, secondsAfter } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionLogLevel } from './decision-log.ts';
import type { DecisionLogStore } from './decision-log-store.ts';
import { type AttributeMasker, createAttributeMasker } from './mask-attributes.ts';

/** An organization's settings as the recorder needs them: its masks compiled, with the key of its hashes. */
export type KnownDecisionLog = { readonly level: DecisionLogLevel; readonly mask: AttributeMasker };

/** Throws when they cannot be had. */
export type DecisionLogSource = { find(organizationId: OrganizationId): Promise<KnownDecisionLog> };

export type CachedDecisionLogDeps = {
  readonly pool: DatabasePool;
  readonly store: DecisionLogStore;
  readonly feed: AuthorizationFeed;
  readonly clock: Clock;
  /** From which each organization's own is derived. */
  readonly maskingKey: Uint8Array;
};

const ttlSeconds = 300;

/** From memory while the feed vouches for it: a change is in force in every instance when its notification arrives. */
export function cacheDecisionLogs(
  deps: CachedDecisionLogDeps,
  limits: { readonly entriesMax?: number } = {},
): DecisionLogSource {
  const { feed, clock } = deps;
  const cache = createGuardedCache<KnownDecisionLog>({
    feed,
    clock,
    entriesMax: limits.entriesMax ?? 20_000,
  });
  return {
    find: (organizationId) =>
      cache.get(organizationId, organizationId, async () => ({
        cacheUntil: secondsAfter(clock.now(), ttlSeconds),
        value: await read(deps, organizationId),
      })),
  };
}

async function read(deps: CachedDecisionLogDeps, organizationId: OrganizationId): Promise<KnownDecisionLog> {
  const log = await withOrg(deps.pool, organizationId, deps.store.find);
  if (log === undefined) throw new Error(`There is no organization "${organizationId}"`);
  const key = createHmac('sha256', deps.maskingKey).update(organizationId).digest();
  return { level: log.level, mask: createAttributeMasker(log.masks, key) };
}
