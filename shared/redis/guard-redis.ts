import { type Redis, RedisUnavailableError, redisScript } from './redis.ts';

/** A replica, a token that may only read and a full memory all answer a ping, and none of them counts anything. */
const probeScript = redisScript(`redis.call('SET', KEYS[1], '1', 'PX', 1000) return 1`);

export type RedisGuardOptions = {
  /** How long Redis is left alone after a failure. */
  readonly pauseMs?: number;
  /**
   * Told when Redis does not answer a probe either, or will not write, with the reason, and then when it is back. One slow
   * answer is none.
   */
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
  let isTold = false;

  function pause(): void {
    away = { probeAt: now() + pauseMs, isProbing: false };
  }

  function stayAway(error: unknown): void {
    pause();
    if (!isTold) options.onAway?.(error);
    isTold = true;
  }

  function comeBack(): void {
    away = undefined;
    if (isTold) options.onBack?.();
    isTold = false;
  }

  async function probe(): Promise<void> {
    await redis.ping();
    await redis.evaluate(probeScript, [redis.keyOf('probe', 'guard')], []);
  }

  function probeWhenDue(): void {
    if (away === undefined || away.isProbing || now() < away.probeAt) return;
    away.isProbing = true;
    probe().then(comeBack, stayAway);
  }

  async function guarded<T>(call: () => Promise<T>): Promise<T> {
    probeWhenDue();
    if (away !== undefined) throw new RedisUnavailableError('Redis is left alone after a failure');
    try {
      return await call();
    } catch (error) {
      pause();
      throw error;
    }
  }

  return {
    evaluate: (script, keys, args) => guarded(() => redis.evaluate(script, keys, args)),
    ping: () => guarded(redis.ping),
    keyOf: redis.keyOf,
  };
}
