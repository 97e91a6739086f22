import { LRUCache } from 'lru-cache';
import type { Clock } from '../kernel/index.ts';
import type { AuthorizationFeed } from './authorization-feed.ts';

export type GuardedCacheOptions = {
  readonly feed: AuthorizationFeed;
  readonly clock: Clock;
  readonly entriesMax: number;
};

/** `cacheUntil` absent: for this one caller, not to be kept. */
export type Filled<T> = { readonly value: T; readonly cacheUntil?: Date };

/**
 * A bounded cache that the feed guards. An entry is believed only while the feed is live and the scope's epoch is
 * the one under which the entry's read began; so a read that raced with a change is never believed after it, however
 * late it is stored.
 */
export type GuardedCache<T> = {
  /** What is kept and may be believed; for whoever can say what to read only at some cost. */
  peek(key: string): T | undefined;
  get(key: string, scope: string, fill: () => Promise<Filled<T>>): Promise<T>;
};

type Entry<T> = {
  readonly scope: string;
  readonly epoch: number;
  readonly until: number;
  readonly value: T;
};
type Pending<T> = { readonly epoch: number; readonly value: Promise<T> };

export function createGuardedCache<T>(options: GuardedCacheOptions): GuardedCache<T> {
  const { feed, clock } = options;
  const entries = new LRUCache<string, Entry<T>>({ max: options.entriesMax });
  const pending = new Map<string, Pending<T>>();

  const read = async (key: string, scope: string, epoch: number, fill: () => Promise<Filled<T>>) => {
    const { value, cacheUntil } = await fill();
    if (cacheUntil !== undefined && feed.epochOf(scope) === epoch) {
      entries.set(key, { scope, epoch, until: cacheUntil.getTime(), value });
    }
    return value;
  };

  /** Callers who miss together under one epoch share one read: a popular entry costs one query, not hundreds. */
  const readOnce = (key: string, scope: string, epoch: number, fill: () => Promise<Filled<T>>) => {
    const shared = pending.get(key);
    if (shared?.epoch === epoch) return shared.value;
    const own: Pending<T> = { epoch, value: read(key, scope, epoch, fill).finally(forget) };
    pending.set(key, own);
    return own.value;
    function forget() {
      if (pending.get(key) === own) pending.delete(key);
    }
  };

  /** Told apart from a kept `undefined`. */
  const findEntry = (key: string): Entry<T> | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || feed.epochOf(entry.scope) !== entry.epoch || !feed.isLive()) return undefined;
    return clock.now().getTime() < entry.until ? entry : undefined;
  };

  return {
    peek: (key) => findEntry(key)?.value,
    get: async (key, scope, fill) => {
      const entry = findEntry(key);
      if (entry !== undefined && entry.scope === scope) return entry.value;
      const epoch = feed.epochOf(scope);
      // Without the feed, a read that somebody else began may be from before a change this caller already knows of.
      return feed.isLive() ? readOnce(key, scope, epoch, fill) : read(key, scope, epoch, fill);
    },
  };
}
