import { LRUCache } from 'lru-cache';
import type { Clock } from '../kernel/index.ts';
import { type Redis, redisScript } from '../redis/index.ts';
import { createMemoryRateLimiter, type LocalRateLimiter } from './rate-limiter.memory.ts';
import type { RateLimit } from './rate-limiter.ts';

/**
 * Counts what was admitted already, also beyond the limit: that is a debt, and nothing is admitted until it is paid.
 * Answers, for each key, how many microseconds that takes. Keeps the instant that `rate-limiter.redis.ts` keeps.
 */
const settleScript = redisScript(`
local burst, debt = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local waits = {}
for i, key in ipairs(KEYS) do
  local paid = tonumber(redis.call('GET', key)) or now
  if paid < now or paid > now + burst + debt + 1 then paid = now end
  local after = math.min(paid + tonumber(ARGV[2 + i]), now + burst + debt)
  if after > now then
    redis.call('SET', key, string.format('%.17g', after), 'PX', math.ceil((after - now) / 1000))
  end
  waits[i] = math.max(0, math.ceil(after - now - burst))
end
return waits
`);

export type SettlingRateLimiterOptions = {
  readonly name: string;
  readonly limit: RateLimit;
  readonly periodMs?: number;
};

export type SettlingRateLimiter = LocalRateLimiter & {
  /** Tells Redis what was admitted since the last time. Called each period; never throws. */
  settle(): Promise<void>;
  close(): Promise<void>;
};

/** Told in one request, those first that asked for most; so few that Redis is done within its deadline. */
const keysMax = 100;
/** Wait for the next request. What is forgotten beyond them favours whoever asked for least. */
const waitingMax = 10_000;
/** Nobody is shut out for longer, however many instances served it beyond its limit. */
const debtMaxSeconds = 60;

/**
 * For the path that may not wait: decides in process at once, and settles with Redis behind it. Over time all instances
 * together hold the limit; for one period each may admit what it would alone, and that is paid back by waiting. What was
 * admitted while Redis was away is not settled: each instance held the limit then.
 */
export function createSettlingRateLimiter(
  { redis, clock }: { readonly redis: Redis; readonly clock: Clock },
  { name, limit, periodMs = 100 }: SettlingRateLimiterOptions,
): SettlingRateLimiter {
  const local = createMemoryRateLimiter({ clock }, limit);
  const waitsUntil = new LRUCache<string, number>({ max: 100_000 });
  const unit = 1_000_000 / limit.ratePerSecond;
  let admitted = new Map<string, number>();
  const count = (key: string, cost: number) => admitted.set(key, (admitted.get(key) ?? 0) + cost);

  async function settle(): Promise<void> {
    const ranked = rank(admitted);
    const settled = ranked.slice(0, keysMax);
    admitted = new Map(ranked.slice(keysMax, keysMax + waitingMax));
    if (settled.length === 0) return;
    const keys = settled.map(([key]) => redis.keyOf(`limit:${name}`, key));
    const costs = settled.map(([, cost]) => String(cost * unit));
    const args = [String(limit.burst * unit), String(debtMaxSeconds * 1_000_000), ...costs];
    const waits = await redis.evaluate(settleScript, keys, args).then(toWaits, () => []);
    const now = clock.now().getTime();
    for (const [index, [key]] of settled.entries()) {
      const waitMs = (waits[index] ?? 0) / 1_000;
      if (waitMs > 0) waitsUntil.set(key, now + Math.min(waitMs, debtMaxSeconds * 1_000));
    }
  }

  const timer = setInterval(() => void settle(), periodMs);
  timer.unref();
  return {
    take: (key, cost = 1) => {
      const waitMs = (waitsUntil.get(key) ?? 0) - clock.now().getTime();
      // An instant further ahead is from before the clock was set back.
      if (waitMs > 0 && waitMs <= debtMaxSeconds * 1_000) {
        return { isAdmitted: false, retryAfterSeconds: Math.ceil(waitMs / 1_000) };
      }
      const admission = local.take(key, cost);
      if (admission.isAdmitted) count(key, cost);
      return admission;
    },
    giveBack: (key, cost = 1) => {
      local.giveBack(key, cost);
      count(key, -cost);
    },
    settle,
    close: async () => clearInterval(timer),
  };
}

function rank(admitted: ReadonlyMap<string, number>): (readonly [string, number])[] {
  const counted = [...admitted].filter(([, cost]) => cost > 0);
  return counted.length <= keysMax ? counted : counted.sort(([, one], [, other]) => other - one);
}

function toWaits(reply: unknown): readonly number[] {
  return Array.isArray(reply) ? reply.map((wait) => (Number.isFinite(wait) ? Number(wait) : 0)) : [];
}
