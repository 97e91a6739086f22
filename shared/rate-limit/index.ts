/**
 * How much one caller may ask for, so that no caller can take the service from the others. The port is shaped for a
 * counter that all instances share; the one in memory counts for its process alone.
 *
 * @example
 * const limits = createMemoryRateLimiter({ clock }, { ratePerSecond: 2_000, burst: 4_000 });
 * const admission = await limits.take(principal.id);
 */
export type { Admission, RateLimit, RateLimiter } from './rate-limiter.ts';
