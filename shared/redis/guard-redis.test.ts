import { describe, expect, test } from 'vitest';
import { guardRedis } from './guard-redis.ts';
import { type Redis, RedisUnavailableError, redisScript } from './redis.ts';

const script = redisScript('return 1');

function setUp() {
  const state = { isAway: false, isReadOnly: false, now: 0, evaluations: 0, pings: 0, told: [] as string[] };
  const answer = async () => {
    if (state.isAway) throw new RedisUnavailableError('away');
  };
  const redis: Redis = {
    evaluate: async () => {
      state.evaluations += 1;
      await answer();
      if (state.isReadOnly) throw new RedisUnavailableError('READONLY');
      return 1;
    },
    ping: async () => {
      state.pings += 1;
      await answer();
    },
    keyOf: (space, text) => `${space} ${text}`,
  };
  const guarded = guardRedis(redis, {
    pauseMs: 1_000,
    now: () => state.now,
    onAway: () => state.told.push('away'),
    onBack: () => state.told.push('back'),
  });
  const ask = () => guarded.evaluate(script, [], []).catch(() => 'failed');
  return { state, ask };
}

/** Lets a probe that runs beside the calls come to its end. */
const probed = () => new Promise((resolve) => setImmediate(resolve));

describe('a Redis that failed once', () => {
  test('is not asked again before the pause is over', async () => {
    const { state, ask } = setUp();
    state.isAway = true;
    await ask();
    state.now = 999;
    expect([await ask(), await ask()]).toEqual(['failed', 'failed']);
    expect([state.evaluations, state.pings]).toEqual([1, 0]);
  });

  test('is then probed once, while callers go on without it', async () => {
    const { state, ask } = setUp();
    state.isAway = true;
    await ask();
    state.now = 1_000;
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['failed', 'failed', 'failed']);
    await probed();
    expect([state.evaluations, state.pings]).toEqual([1, 1]);
    state.now = 1_999;
    await ask();
    expect(state.pings).toBe(1);
  });

  test('is used again after a probe that it answered', async () => {
    const { state, ask } = setUp();
    state.isAway = true;
    await ask();
    state.isAway = false;
    state.now = 1_000;
    expect(await ask()).toBe('failed');
    await probed();
    expect(await ask()).toBe(1);
    // One slow answer is nothing to wake anybody for.
    expect(state.told).toEqual([]);
  });

  test('is told to be away when a probe fails too, and to be back, once each', async () => {
    const { state, ask } = setUp();
    state.isAway = true;
    for (const at of [0, 1_000, 2_000, 3_000]) {
      state.now = at;
      await ask();
      await probed();
    }
    expect(state.told).toEqual(['away']);
    state.isAway = false;
    state.now = 4_000;
    await ask();
    await probed();
    expect([await ask(), state.told]).toEqual([1, ['away', 'back']]);
  });
});

// Threat: limits that everybody believes to be counted together are not, and nobody is told.
test('a Redis that answers a ping but writes nothing is away, and told to be so once', async () => {
  const { state, ask } = setUp();
  state.isReadOnly = true;
  for (let at = 0; at <= 10_000; at += 500) {
    state.now = at;
    expect(await ask()).toBe('failed');
    await probed();
  }
  expect(state.told).toEqual(['away']);
  state.isReadOnly = false;
  state.now = 12_000;
  await ask();
  await probed();
  expect([await ask(), state.told]).toEqual([1, ['away', 'back']]);
});
