import { createHmac } from 'node:crypto';
import { type AuthorizationFeed, createGuardedCache } from '../authorization-feed/index.ts';
import { type Clock, secondsAfter } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionLog, DecisionLogLevel } from './decision-log.ts';
import type { DecisionLogReader } from './decision-log-store.ts';
import { type AttributeMasker, createAttributeMasker, maskSecretsOnly } from './mask-attributes.ts';

/** An organization's settings as the recorder needs them: its masks compiled, with the key of its hashes. */
export type KnownDecisionLog = { readonly level: DecisionLogLevel; readonly mask: AttributeMasker };

/** Throws when they cannot be had. */
export type DecisionLogSource = {
  /** What is known already, for the hot path. */
  peek(organizationId: OrganizationId): KnownDecisionLog | undefined;
  /** `isUrgent`: an answer waits for it. */
  find(organizationId: OrganizationId, demand?: { readonly isUrgent: boolean }): Promise<KnownDecisionLog>;
};

export type CachedDecisionLogDeps = {
  readonly reader: DecisionLogReader;
  readonly feed: AuthorizationFeed;
  readonly clock: Clock;
  /** From which each organization's own is derived. */
  readonly maskingKey: Uint8Array;
};

const ttlSeconds = 1_800;

/** From memory while the feed vouches for it: a change is in force in every instance when its notification arrives. */
export function cacheDecisionLogs(
  deps: CachedDecisionLogDeps,
  limits: { readonly entriesMax?: number } = {},
): DecisionLogSource {
  const { feed, clock } = deps;
  const cache = createGuardedCache<KnownDecisionLog>({
    feed,
    clock,
    entriesMax: limits.entriesMax ?? 50_000,
  });
  const together = readTogether(deps.reader);
  return {
    peek: (organizationId) => cache.peek(organizationId),
    find: (organizationId, { isUrgent } = { isUrgent: false }) => {
      const found = cache.get(organizationId, organizationId, async () => ({
        cacheUntil: secondsAfter(clock.now(), ttlSeconds),
        value: toKnown(deps, organizationId, await together.read(organizationId)),
      }));
      // Also what a record that nobody waits for has asked before.
      if (isUrgent) together.sendNow();
      return found;
    },
  };
}

const togetherMs = 10;

/**
 * Those asked for within some milliseconds share one statement, sent after the last of them asked, so it is never
 * older than a question. Records wait for it and answers do not, except those of privileged decisions, which have it
 * sent at once.
 */
function readTogether(reader: DecisionLogReader) {
  let open: ReturnType<typeof begin> | undefined;
  function begin() {
    const organizations: OrganizationId[] = [];
    const due = Promise.withResolvers<void>();
    const timer = setTimeout(due.resolve, togetherMs);
    const found = due.promise.then(() => {
      clearTimeout(timer);
      open = undefined;
      return reader.findAll(organizations);
    });
    return { organizations, found, send: due.resolve };
  }
  return {
    read: async (organizationId: OrganizationId): Promise<DecisionLog | undefined> => {
      open ??= begin();
      open.organizations.push(organizationId);
      return (await open.found).get(organizationId);
    },
    sendNow: () => open?.send(),
  };
}

/** Of the organizations that mask nothing, which share them. */
const unmasked: Readonly<Record<DecisionLogLevel, KnownDecisionLog>> = {
  all: { level: 'all', mask: maskSecretsOnly },
  'denials-and-privileged': { level: 'denials-and-privileged', mask: maskSecretsOnly },
};

function toKnown(
  deps: Pick<CachedDecisionLogDeps, 'maskingKey'>,
  organizationId: OrganizationId,
  log: DecisionLog | undefined,
): KnownDecisionLog {
  if (log === undefined) throw new Error(`There is no organization "${organizationId}"`);
  if (log.masks.length === 0) return unmasked[log.level];
  const key = createHmac('sha256', deps.maskingKey).update(organizationId).digest();
  return { level: log.level, mask: createAttributeMasker(log.masks, key) };
}
