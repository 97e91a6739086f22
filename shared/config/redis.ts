import { z } from 'zod';

/** Where instances count limits together, over Upstash's REST protocol; absent: each instance counts alone. */
export const redisConfig = {
  REDIS_URL: z.url({ protocol: /^https?$/, error: 'must be an https: or http: URL' }).optional(),
  REDIS_TOKEN: z.string().min(1).optional(),
};

/** For the schema's `refine`. Half an address would silently be none. */
export const hasWholeRedis = [
  (config: { REDIS_URL?: unknown; REDIS_TOKEN?: unknown }): boolean =>
    (config.REDIS_URL === undefined) === (config.REDIS_TOKEN === undefined),
  { path: ['REDIS_TOKEN'], message: 'comes with REDIS_URL, or not at all', when: () => true },
] satisfies [unknown, unknown];

const rate = z.coerce.number().positive().max(1_000_000);
const burst = z.coerce.number().int().min(1).max(10_000_000);

/** Failed attempts from one address (IPv6: from one /64), over time and at once. */
export const addressLimitConfig = {
  ADDRESS_FAILURES_PER_SECOND: rate.default(1),
  ADDRESS_FAILURE_BURST: burst.default(60),
};

/** What one address, API key and caller may do, over time and at once. */
export const callerLimitConfig = {
  ...addressLimitConfig,
  KEY_RATE_PER_SECOND: rate.default(100),
  KEY_BURST: burst.default(500),
  CALLER_RATE_PER_SECOND: rate.default(200),
  CALLER_BURST: burst.default(1_000),
};

type CallerLimitConfig = z.infer<z.ZodObject<typeof callerLimitConfig>>;

/** As `openFailureLimiter` takes it. */
export function toFailureLimit(config: z.infer<z.ZodObject<typeof addressLimitConfig>>) {
  return { ratePerSecond: config.ADDRESS_FAILURES_PER_SECOND, burst: config.ADDRESS_FAILURE_BURST };
}

/** As `openCallerLimits` takes it. */
export function toCallerLimits(config: CallerLimitConfig) {
  return {
    failures: toFailureLimit(config),
    keys: { ratePerSecond: config.KEY_RATE_PER_SECOND, burst: config.KEY_BURST },
    callers: { ratePerSecond: config.CALLER_RATE_PER_SECOND, burst: config.CALLER_BURST },
  };
}
