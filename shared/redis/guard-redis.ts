import { type Redis, RedisUnavailableError } from './redis.ts';

export type RedisGuardOptions = {
  /** How long Redis is left alone after a failure. */
  readonly pauseMs?: number;
  /** Told when Redis goes away, with the reason, and when it is back. */
  readonly onAway?: (error: unknown) => void;
  readonly onBack?: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly now?: () => number;
};

/**
 * After a failure calls fail at once, without a request, so that one deadline is spent and not one for each caller. When
 * the pause is over, the next call has Redis probed beside it: nobody waits to learn that it is still away.
 */
export function guardRedis(redis: Redis, options: RedisGuardOptions = {}): Redis {
  const { pauseMs = 1_000, now = () => performance.now() } = options;
  let away: { probeAt: number; isProbing: boolean } | undefined;

  function fail(error: unknown): void {
    if (away === undefined) options.onAway?.(error);
    away = { probeAt: now() + pauseMs, isProbing: false };
  }

  function probeWhenDue(): void {
    if (away === undefined || away.isProbing || now() < away.probeAt) return;
    away.isProbing = true;
    redis.ping().then(() => {
      away = undefined;
      options.onBack?.();
    }, fail);
  }

  async function guarded<T>(call: () => Promise<T>): Promise<T> {
    probeWhenDue();
    if (away !== undefined) throw new RedisUnavailableError('Redis is left alone after a failure');
    try {
      return await call();
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  return {
    evaluate: (script, keys, args) => guarded(() => redis.evaluate(script, keys, args)),
    ping: () => guarded(redis.ping),
    keyOf: redis.keyOf,
  };
}
