import { LRUCache } from 'lru-cache';
import type { Clock } from '../kernel/index.ts';
import type { Admission, RateLimit } from './rate-limiter.ts';

/** A rate limiter that answers at once. */
export type LocalRateLimiter = {
  take(key: string, cost?: number): Admission;
  giveBack(key: string, cost?: number): void;
};

const admitted: Admission = { isAdmitted: true };

/**
 * One process counts for itself: behind n instances a caller has up to n times the limit. A token bucket in its
 * one-number form (GCRA): the instant at which everything taken so far is paid for. About 100 bytes a caller.
 */
export function createMemoryRateLimiter(
  { clock }: { readonly clock: Clock },
  limit: RateLimit,
  callersMax = 100_000,
): LocalRateLimiter {
  const unitMs = 1_000 / limit.ratePerSecond;
  const toleranceMs = limit.burst * unitMs;
  const paidUntil = new LRUCache<string, number>({ max: callersMax });
  return {
    take: (key, cost = 1) => {
      const now = clock.now().getTime();
      const known = paidUntil.get(key) ?? now;
      // A debt beyond the tolerance is from before the clock was set back.
      const from = known > now + toleranceMs ? now : Math.max(known, now);
      const until = from + cost * unitMs;
      const tooEarlyMs = until - now - toleranceMs;
      if (tooEarlyMs > roundingMs) return refuse(tooEarlyMs);
      paidUntil.set(key, until);
      return admitted;
    },
    // An instant that has passed means a full burst, so this can give no more than that.
    giveBack: (key, cost = 1) => {
      const known = paidUntil.get(key);
      if (known !== undefined) paidUntil.set(key, known - cost * unitMs);
    },
  };
}

/** Sums of fractions of a millisecond are off by less. */
const roundingMs = 1e-3;

function refuse(tooEarlyMs: number): Admission {
  return { isAdmitted: false, retryAfterSeconds: Math.max(1, Math.ceil(tooEarlyMs / 1_000)) };
}
