import type { Clock } from '../kernel/index.ts';
import type { Outcome } from './outcome.ts';

export type DecisionCacheLimits = {
  /** Entries kept; the one unused for longest goes first. */
  readonly entriesMax: number;
  /** Upper bound of an entry's life, whatever the decision point allows. */
  readonly ttlMs: number;
};

export type DecisionCache = {
  find(key: string): Outcome | undefined;
  /**
   * Keeps an allow or a plain denial for `lifetimeMs` from `askedAt`; anything else is not kept. A late answer is not
   * kept after one that was asked for after it, whether that one was kept or not.
   */
  keep(
    key: string,
    outcome: Outcome,
    lifetime: { readonly askedAt: Date; readonly lifetimeMs: number },
  ): void;
};

type Entry = { readonly outcome: Outcome; readonly askedAt: number; readonly expiresAt: number };

/** A Map keeps the order of insertion, so its first key is the least recently used. */
export function createDecisionCache(clock: Clock, { entriesMax, ttlMs }: DecisionCacheLimits): DecisionCache {
  const entries = new Map<string, Entry>();
  const isLate = rememberAsked(clock, entriesMax);
  return {
    find: (key) => {
      const entry = entries.get(key);
      if (entry === undefined) return undefined;
      entries.delete(key);
      if (!isFresh(entry, clock.now().getTime())) return undefined;
      entries.set(key, entry);
      return entry.outcome;
    },
    keep: (key, outcome, { askedAt, lifetimeMs }) => {
      const asked = askedAt.getTime();
      if (isLate(key, asked)) return;
      entries.delete(key);
      const entry = { outcome, askedAt: asked, expiresAt: asked + Math.min(lifetimeMs, ttlMs) };
      if (!isReusable(outcome) || !isFresh(entry, clock.now().getTime())) return;
      entries.set(key, entry);
      const [oldest] = entries.keys();
      if (entries.size > entriesMax && oldest !== undefined) entries.delete(oldest);
    },
  };
}

/**
 * Whether a later question has been answered. Threat: an allow that was slow on its way outlives the refusal that
 * overtook it. Of so many keys; of those that are forgotten, nothing counts that was asked before they were.
 */
function rememberAsked(clock: Clock, keysMax: number): (key: string, asked: number) => boolean {
  const latest = new Map<string, number>();
  let forgotten = Number.NEGATIVE_INFINITY;
  return (key, asked) => {
    const known = latest.get(key) ?? forgotten;
    // What was asked in the future is from before the clock was set back.
    if (known > asked && known <= clock.now().getTime()) return true;
    latest.delete(key);
    latest.set(key, asked);
    const [oldest] = latest;
    if (latest.size <= keysMax || oldest === undefined) return false;
    latest.delete(oldest[0]);
    forgotten = Math.max(forgotten, oldest[1]);
    return false;
  };
}

/** A clock set back must not lengthen a life, so the time of asking bounds it from below. */
function isFresh({ askedAt, expiresAt }: Entry, now: number): boolean {
  return askedAt <= now && now < expiresAt;
}

/** An error is nobody's decision; obligations and step-up are owed at each decision. */
function isReusable(outcome: Outcome): boolean {
  if (outcome.outcome === 'deny') return outcome.obligations.length === 0;
  return outcome.outcome === 'allow';
}

/** In place of a cache: nothing is kept. */
export const noDecisionCache: DecisionCache = { find: () => undefined, keep: () => undefined };
