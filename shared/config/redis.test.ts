import { expect, test } from 'vitest';
import { z } from 'zod';
import { callerLimitConfig, hasWholeRedis, readConfig, redisConfig, toCallerLimits } from './index.ts';

const schema = z.object({ ...redisConfig, ...callerLimitConfig }).refine(...hasWholeRedis);

test('without Redis each instance counts alone, within limits that are there unasked', () => {
  const config = readConfig(schema, { REDIS_URL: '', REDIS_TOKEN: '' });
  expect(config.REDIS_URL).toBeUndefined();
  expect(toCallerLimits(config).failures).toEqual({ ratePerSecond: 1, burst: 60 });
});

// Threat: limits that everybody believes to be counted together are not, because one half was misspelt.
test.each([
  [{ REDIS_URL: 'https://redis.example' }, 'REDIS_TOKEN'],
  [{ REDIS_TOKEN: 'secret' }, 'REDIS_TOKEN'],
  [{ REDIS_URL: 'redis://redis.example:6379', REDIS_TOKEN: 'secret' }, 'REDIS_URL'],
  [{ CALLER_BURST: '0' }, 'CALLER_BURST'],
  [{ KEY_RATE_PER_SECOND: 'many' }, 'KEY_RATE_PER_SECOND'],
])('refuses %j', (env, name) => {
  expect(() => readConfig(schema, env)).toThrow(name);
});
