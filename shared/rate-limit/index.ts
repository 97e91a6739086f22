/**
 * How much one caller may ask for, so that no caller can take the service from the others. One adapter counts for its
 * process alone, one for all instances together in Redis, and alone while Redis is slow or away; a third decides alone at
 * once and settles with Redis afterwards. Failures are counted apart: Redis hears of them alone.
 *
 * @example
 * const limits = openCallerLimits({ clock, redis }, name, toCallerLimits(config));
 * const admission = await admitProven(limits, { callerId: principal.id, keyId });
 */
export { admitProven, attemptFrom, type CallerLimits, type ProvenCaller } from './caller-limits.ts';
export type { FailureLimiter } from './failure-limiter.ts';
export type { LocalRateLimiter } from './rate-limiter.memory.ts';
export type { Admission, RateLimit, RateLimiter } from './rate-limiter.ts';
