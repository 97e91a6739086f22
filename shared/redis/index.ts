/**
 * What instances of a function share for a moment: counters that may be lost, never state that may not. Invariants:
 * every call ends within the deadline, no call is sent twice, and a Redis that is slow or away is left alone for a
 * second after each failure, so that whoever depends on it decides without it at once.
 *
 * @example
 * const redis = openRedis({ url: config.REDIS_URL, token: config.REDIS_TOKEN }, { logger });
 * const reply = await redis?.evaluate(redisScript('return redis.call("GET", KEYS[1])'), [redis.keyOf('x', 'y')], []);
 */
export { guardRedis, type RedisGuardOptions } from './guard-redis.ts';
export { type Redis, type RedisScript, RedisUnavailableError, redisScript } from './redis.ts';
