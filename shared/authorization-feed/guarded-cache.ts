import { LRUCache } from 'lru-cache';
import { type Clock, createTransientMap } from '../kernel/index.ts';
import type { AuthorizationFeed } from './authorization-feed.ts';

export type GuardedCacheOptions<T> = {
  readonly feed: AuthorizationFeed;
  readonly clock: Clock;
  readonly entriesMax: number;
  /** For values that may be large: the room for all of them, in the unit of `sizeOf`, which is at least 1. */
  readonly room?: { readonly sizeMax: number; sizeOf(value: T): number };
  /** For values that say how new they are: one that is older than what is kept is not kept in its place. */
  readonly isOlder?: (value: T, kept: T) => boolean;
};

export type Filled<T> = {
  readonly value: T;
  /** Absent: for this one caller, not to be kept. */
  readonly cacheUntil?: Date;
  /** Of a kind that callers can make up without end: kept apart, in a twentieth of the places, and drives out no other. */
  readonly isMadeUp?: boolean;
};

/**
 * A bounded cache that the feed guards. An entry is believed only while the feed is live and the scope's epoch is
 * the one under which the entry's read began; so a read that raced with a change is never believed after it, however
 * late it is stored.
 */
export type GuardedCache<T> = {
  /** What is kept and may be believed; for whoever can say what to read only at some cost. */
  peek(key: string): T | undefined;
  get(key: string, scope: string, fill: () => Promise<Filled<T>>): Promise<T>;
  /** Reads and keeps anew, for whoever knows that what is kept is too old. Shares no read that began before. */
  renew(key: string, scope: string, fill: () => Promise<Filled<T>>): Promise<T>;
};

type Entry<T> = {
  readonly scope: string;
  readonly epoch: number;
  readonly until: number;
  readonly value: T;
};
type Pending<T> = { readonly epoch: number; readonly value: Promise<T> };

const madeUpShare = 0.05;

export function createGuardedCache<T>(options: GuardedCacheOptions<T>): GuardedCache<T> {
  const { feed, clock } = options;
  const entries = openEntries(options, 1);
  const madeUp = openEntries(options, madeUpShare);
  const pending = createTransientMap<string, Pending<T>>();

  const read = async (key: string, scope: string, epoch: number, fill: () => Promise<Filled<T>>) => {
    const { value, cacheUntil, isMadeUp } = await fill();
    if (cacheUntil !== undefined && feed.epochOf(scope) === epoch) {
      const newer = findEntry(key)?.value;
      if (newer !== undefined && options.isOlder?.(value, newer)) return value;
      const [kept, other] = isMadeUp === true ? [madeUp, entries] : [entries, madeUp];
      kept.set(key, { scope, epoch, until: cacheUntil.getTime(), value });
      other.delete(key);
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
    const entry = entries.get(key) ?? madeUp.get(key);
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
    renew: (key, scope, fill) => read(key, scope, feed.epochOf(scope), fill),
  };
}

function openEntries<T>(
  { entriesMax, room }: GuardedCacheOptions<T>,
  share: number,
): LRUCache<string, Entry<T>> {
  const max = Math.max(1, Math.floor(entriesMax * share));
  if (room === undefined) return new LRUCache({ max });
  const { sizeMax, sizeOf } = room;
  return new LRUCache({
    max,
    maxSize: Math.max(1, Math.floor(sizeMax * share)),
    sizeCalculation: ({ value }) => sizeOf(value),
  });
}
