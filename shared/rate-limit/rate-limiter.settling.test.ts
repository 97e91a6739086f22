import { afterEach, describe, expect, test } from 'vitest';
import { type Redis, RedisUnavailableError } from '../redis/index.ts';
import { createSettlingRateLimiter, type SettlingRateLimiter } from './rate-limiter.settling.ts';

const open: SettlingRateLimiter[] = [];
afterEach(async () => {
  for (const limiter of open.splice(0)) await limiter.close();
});

function setUp(limit = { ratePerSecond: 10, burst: 5 }) {
  const state = { ms: 1_800_000_000_000, waitMs: 0, isAway: false, asked: [] as (readonly string[])[][] };
  const redis: Redis = {
    evaluate: async (_script, keys, args) => {
      state.asked.push([keys, args.slice(2)]);
      if (state.isAway) throw new RedisUnavailableError('away');
      return keys.map(() => state.waitMs * 1_000);
    },
    ping: async () => undefined,
    keyOf: (space, text) => `${space} ${text}`,
  };
  const deps = { redis, clock: { now: () => new Date(state.ms) } };
  // Settled by the tests themselves.
  const limiter = createSettlingRateLimiter(deps, { name: 'x', limit, periodMs: 2_147_483_647 });
  open.push(limiter);
  return { state, limiter };
}

describe('a limit that settles afterwards', () => {
  test('asks nobody to decide, and tells what it admitted in one request', async () => {
    const { state, limiter } = setUp();
    expect([limiter.take('a', 2), limiter.take('b'), limiter.take('a')]).toEqual(
      Array(3).fill({ isAdmitted: true }),
    );
    expect(state.asked).toEqual([]);
    await limiter.settle();
    expect(state.asked).toEqual([
      [
        ['limit:x a', 'limit:x b'],
        ['300000', '100000'],
      ],
    ]);
    await limiter.settle();
    expect(state.asked).toHaveLength(1);
  });

  test('does not tell what it refused, or what was given back', async () => {
    const { state, limiter } = setUp();
    expect(limiter.take('a', 6).isAdmitted).toBe(false);
    limiter.take('a');
    limiter.giveBack('a');
    await limiter.settle();
    expect(state.asked).toEqual([]);
  });

  test('refuses for as long as it is told that others have used the limit up', async () => {
    const { state, limiter } = setUp();
    limiter.take('a');
    state.waitMs = 1_500;
    await limiter.settle();
    expect(limiter.take('a')).toEqual({ isAdmitted: false, retryAfterSeconds: 2 });
    expect(limiter.take('b').isAdmitted).toBe(true);
    state.ms += 1_500;
    expect(limiter.take('a').isAdmitted).toBe(true);
  });

  test('holds the limit alone while Redis is away, and does not ask for it to be paid twice', async () => {
    const { state, limiter } = setUp();
    state.isAway = true;
    for (let n = 0; n < 5; n++) limiter.take('a');
    await limiter.settle();
    expect(limiter.take('a').isAdmitted).toBe(false);
    state.isAway = false;
    await limiter.settle();
    expect(state.asked).toHaveLength(1);
  });

  // Threat: an answer that makes no sense shuts a caller out for ever.
  test('refuses nobody for longer than a minute, nor after the clock is set back', async () => {
    const { state, limiter } = setUp();
    limiter.take('a');
    state.waitMs = 1e12;
    await limiter.settle();
    expect(limiter.take('a')).toEqual({ isAdmitted: false, retryAfterSeconds: 60 });
    state.ms -= 3_600_000;
    expect(limiter.take('a').isAdmitted).toBe(true);
  });

  test('tells of a bounded number of callers at a time, first of those that asked for most', async () => {
    const { state, limiter } = setUp();
    for (let n = 0; n < 250; n++) limiter.take(`caller ${n}`, n < 100 ? 2 : 1);
    for (let n = 0; n < 4; n++) await limiter.settle();
    expect(state.asked.map(([keys]) => keys?.length)).toEqual([100, 100, 50]);
    expect(state.asked[0]?.[1]?.every((cost) => cost === '200000')).toBe(true);
    expect(new Set(state.asked.flatMap(([keys]) => keys ?? [])).size).toBe(250);
  });
});
