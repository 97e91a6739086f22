import type { Clock } from '../kernel/index.ts';
import type { Redis } from '../redis/index.ts';
import type { CallerLimits } from './caller-limits.ts';
import { createRedisFailureLedger, rememberFailureLedger } from './failure-ledger.redis.ts';
import { createFailureLimiter } from './failure-limiter.memory.ts';
import type { FailureLimiter } from './failure-limiter.ts';
import { createMemoryRateLimiter, type LocalRateLimiter } from './rate-limiter.memory.ts';
import { createRedisRateLimiter } from './rate-limiter.redis.ts';
import { createSettlingRateLimiter } from './rate-limiter.settling.ts';
import type { RateLimit, RateLimiter } from './rate-limiter.ts';

export type RateLimiterDeps = {
  readonly clock: Clock;
  /** Undefined: each instance counts for itself. */
  readonly redis: Redis | undefined;
};

/** The limiter of one name, counted wherever this deployment counts. */
function openRateLimiter({ clock, redis }: RateLimiterDeps, name: string, limit: RateLimit): RateLimiter {
  return redis === undefined
    ? createMemoryRateLimiter({ clock }, limit)
    : createRedisRateLimiter({ clock, redis }, { name, limit });
}

/** The same for a path that may not wait for Redis. */
export function openPathRateLimiter(
  { clock, redis }: RateLimiterDeps,
  name: string,
  limit: RateLimit,
): LocalRateLimiter & { close(): Promise<void> } {
  return redis === undefined
    ? { ...createMemoryRateLimiter({ clock }, limit), close: async () => undefined }
    : createSettlingRateLimiter({ clock, redis }, { name, limit });
}

/** The limit on failed attempts at the function of this name. */
export function openFailureLimiter(
  { clock, redis }: RateLimiterDeps,
  name: string,
  limit: RateLimit,
): FailureLimiter {
  const ledger = redis && createRedisFailureLedger(redis, { name, limit });
  return createFailureLimiter({ clock, ledger }, limit);
}

/** The same for a path that may not wait for Redis. */
export function openPathFailureLimiter(
  { clock, redis }: RateLimiterDeps,
  name: string,
  limit: RateLimit,
): FailureLimiter {
  const ledger = redis && rememberFailureLedger({ clock }, createRedisFailureLedger(redis, { name, limit }));
  return createFailureLimiter({ clock, ledger }, limit, { waitMsMax: 100 });
}

/** The three limits of the function of this name. */
export function openCallerLimits(
  deps: RateLimiterDeps,
  name: string,
  limits: Readonly<Record<keyof CallerLimits, RateLimit>>,
): CallerLimits {
  return {
    failures: openFailureLimiter(deps, name, limits.failures),
    keys: openRateLimiter(deps, `${name}:keys`, limits.keys),
    callers: openRateLimiter(deps, `${name}:callers`, limits.callers),
  };
}
