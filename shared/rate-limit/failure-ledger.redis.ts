import { LRUCache } from 'lru-cache';
import type { Clock } from '../kernel/index.ts';
import { type Redis, redisScript } from '../redis/index.ts';
import type { FailureLedger } from './failure-limiter.ts';
import { type RedisRateLimiterOptions, toAdmission, unlessAway } from './rate-limiter.redis.ts';
import type { Admission } from './rate-limiter.ts';

/**
 * The instant at which all failures are paid for, by the clock of Redis, in microseconds. A cost of 0 only asks. What is
 * beyond the limit is a debt: several instances may each have let an attempt through that failed. Answers how many
 * microseconds it takes until one more would be within the limit; 0: it is now.
 */
const countScript = redisScript(`
local burst, cost, unit, debt = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local paid = tonumber(redis.call('GET', KEYS[1])) or now
if paid < now or paid > now + burst + debt + 1 then paid = now end
if cost > 0 then
  paid = math.min(paid + cost, now + burst + debt)
  redis.call('SET', KEYS[1], string.format('%.17g', paid), 'PX', math.ceil((paid - now) / 1000))
end
local early = paid + unit - burst - now
if early > 1 then return math.ceil(early) end
return 0
`);

const admitted: Admission = { isAdmitted: true };
/** Nobody is shut out for longer, however many instances it failed at. */
const debtMaxSeconds = 60;

/** While Redis is slow or away each instance goes by what it has counted itself. */
export function createRedisFailureLedger(
  redis: Redis,
  { name, limit: { ratePerSecond, burst } }: RedisRateLimiterOptions,
): FailureLedger {
  const unit = 1_000_000 / ratePerSecond;
  const count = async (key: string, cost: number): Promise<Admission> => {
    // Another limit under the same name, as during a roll-out, would misread the instant.
    const redisKey = redis.keyOf(`failures:${name}`, `${ratePerSecond} ${burst} ${key}`);
    const args = [burst * unit, cost, unit, debtMaxSeconds * 1_000_000].map(String);
    return toAdmission(await redis.evaluate(countScript, [redisKey], args));
  };
  return {
    ask: (key) => count(key, 0).catch(unlessAway(admitted)),
    charge: (key) => count(key, unit).catch(unlessAway(admitted)),
  };
}

/** The same for a path that may not wait for Redis: it goes by what it was told when it last counted a failure there. */
export function rememberFailureLedger(
  { clock }: { readonly clock: Clock },
  ledger: Pick<FailureLedger, 'charge'>,
): FailureLedger {
  const shutUntil = new LRUCache<string, number>({ max: 100_000 });
  return {
    ask: (key) => {
      const waitMs = (shutUntil.get(key) ?? 0) - clock.now().getTime();
      // An instant further ahead is from before the clock was set back.
      if (waitMs <= 0 || waitMs > debtMaxSeconds * 1_000) return admitted;
      return { isAdmitted: false, retryAfterSeconds: Math.ceil(waitMs / 1_000) };
    },
    charge: async (key) => {
      const after = await ledger.charge(key);
      if (!after.isAdmitted) {
        const waitSeconds = Math.min(after.retryAfterSeconds, debtMaxSeconds);
        shutUntil.set(key, clock.now().getTime() + waitSeconds * 1_000);
      }
      return after;
    },
  };
}
