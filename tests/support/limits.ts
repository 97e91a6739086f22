import { systemClock as clock } from '../../shared/kernel/index.ts';
import { createFailureLimiter } from '../../shared/rate-limit/failure-limiter.memory.ts';
import type { CallerLimits, RateLimit } from '../../shared/rate-limit/index.ts';
import { createMemoryRateLimiter } from '../../shared/rate-limit/rate-limiter.memory.ts';

const unbounded = { ratePerSecond: 1e6, burst: 1e6 };

/** Limits that no test reaches, but for those that are given. */
export function testLimits(given: Partial<Record<keyof CallerLimits, RateLimit>> = {}): CallerLimits {
  return {
    failures: createFailureLimiter({ clock }, given.failures ?? unbounded),
    keys: createMemoryRateLimiter({ clock }, given.keys ?? unbounded),
    callers: createMemoryRateLimiter({ clock }, given.callers ?? unbounded),
  };
}
