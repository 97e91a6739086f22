import type { Clock } from '../kernel/index.ts';
import { type Redis, RedisUnavailableError, redisScript } from '../redis/index.ts';
import { createMemoryRateLimiter } from './rate-limiter.memory.ts';
import type { Admission, RateLimit, RateLimiter } from './rate-limiter.ts';

/**
 * The same one number as in memory, by the clock of Redis, in microseconds: the instant at which everything taken is
 * paid for. It expires when it has passed, so that Redis holds only who asked of late. Answers how many microseconds
 * too early the cost was asked for; 0: taken. A negative cost gives back. An instant further ahead than a burst is
 * from before the clock was set back.
 */
const takeScript = redisScript(`
local burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local paid = tonumber(redis.call('GET', KEYS[1])) or now
if paid < now or paid > now + burst + 1 then paid = now end
local after = paid + cost
if after - now - burst > 1 then return math.ceil(after - now - burst) end
if after <= now then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], string.format('%.17g', after), 'PX', math.ceil((after - now) / 1000)) end
return 0
`);

export type RedisRateLimiterOptions = {
  /** Limits of different names count apart. */
  readonly name: string;
  readonly limit: RateLimit;
};

/**
 * All instances count together. Each also counts for itself and asks Redis only for what it would admit on its own,
 * so a flood is refused without a request, and when Redis is slow or away what this instance has admitted is known
 * already: n instances admit at most n times the limit then, an outage gives nobody a fresh burst, and its end neither.
 */
export function createRedisRateLimiter(
  { redis, clock }: { readonly redis: Redis; readonly clock: Clock },
  { name, limit }: RedisRateLimiterOptions,
): RateLimiter {
  const local = createMemoryRateLimiter({ clock }, limit);
  const unit = 1_000_000 / limit.ratePerSecond;
  const burst = String(limit.burst * unit);
  const takeShared = async (key: string, cost: number): Promise<Admission> => {
    // Another limit under the same name, as during a roll-out, would misread the instant.
    const redisKey = redis.keyOf(`limit:${name}`, `${limit.ratePerSecond} ${limit.burst} ${key}`);
    return toAdmission(await redis.evaluate(takeScript, [redisKey], [burst, String(cost * unit)]));
  };
  return {
    take: async (key, cost = 1) => {
      const here = local.take(key, cost);
      if (!here.isAdmitted) return here;
      const everywhere = await takeShared(key, cost).catch(unlessAway(here));
      if (!everywhere.isAdmitted) local.giveBack(key, cost);
      return everywhere;
    },
    giveBack: async (key, cost = 1) => {
      local.giveBack(key, cost);
      await takeShared(key, -cost).catch(() => undefined);
    },
  };
}

export function unlessAway<T>(value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof RedisUnavailableError) return value;
    throw error;
  };
}

export function toAdmission(reply: unknown): Admission {
  if (typeof reply !== 'number' || !Number.isSafeInteger(reply) || reply < 0) {
    throw new RedisUnavailableError('Redis answered a limit with something else than a number');
  }
  if (reply === 0) return { isAdmitted: true };
  return { isAdmitted: false, retryAfterSeconds: Math.max(1, Math.ceil(reply / 1_000_000)) };
}
