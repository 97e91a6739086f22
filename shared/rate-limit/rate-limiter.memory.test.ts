import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMemoryRateLimiter } from './rate-limiter.memory.ts';

function setUp(limit = { ratePerSecond: 10, burst: 5 }, callersMax?: number) {
  const state = { ms: 1_800_000_000_000 };
  const limiter = createMemoryRateLimiter({ clock: { now: () => new Date(state.ms) } }, limit, callersMax);
  const admits = (key: string, cost?: number) => limiter.take(key, cost).isAdmitted;
  return { state, limiter, admits };
}

describe('a caller', () => {
  test('has its burst at once, then as much as the rate gives', () => {
    const { state, admits } = setUp();
    expect([1, 2, 3, 4, 5, 6].map(() => admits('a'))).toEqual([true, true, true, true, true, false]);
    state.ms += 100;
    expect([admits('a'), admits('a')]).toEqual([true, false]);
  });

  test('costs no other caller anything', () => {
    const { admits } = setUp();
    while (admits('a'));
    expect(admits('b')).toBe(true);
  });

  test('is not punished for knocking while it is refused', () => {
    const { state, admits } = setUp();
    while (admits('a'));
    for (let n = 0; n < 1_000; n++) admits('a');
    state.ms += 100;
    expect(admits('a')).toBe(true);
  });

  test('is told a time after which it is admitted', () => {
    const { state, limiter, admits } = setUp({ ratePerSecond: 0.5, burst: 1 });
    expect(admits('a')).toBe(true);
    const refused = limiter.take('a');
    expect(refused).toEqual({ isAdmitted: false, retryAfterSeconds: 2 });
    state.ms += 2_000;
    expect(admits('a')).toBe(true);
  });

  test('pays for a batch by its items, and never gets one above its burst', () => {
    const { admits } = setUp();
    expect(admits('a', 6)).toBe(false);
    expect([admits('a', 4), admits('a', 2), admits('a', 1)]).toEqual([true, false, true]);
  });
});

// Threat: a clock that is set back would shut callers out for as long as it was ahead.
test('shuts nobody out when the clock is set back', () => {
  const { state, admits } = setUp();
  while (admits('a'));
  state.ms -= 3_600_000;
  expect(admits('a')).toBe(true);
});

// Threat: one key a request fills the memory.
test('remembers a bounded number of callers, and forgetting one favours it', () => {
  const { admits } = setUp({ ratePerSecond: 1, burst: 1 }, 2);
  expect(['a', 'b', 'c'].map((key) => admits(key))).toEqual([true, true, true]);
  expect([admits('c'), admits('a')]).toEqual([false, true]);
});

test('never admits more in any window than the burst and what the rate gives meanwhile', () => {
  const steps = fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 3 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (taken) => {
      const { state, admits } = setUp();
      const start = state.ms;
      let units = 0;
      for (const [waitMs, cost] of taken) {
        state.ms += waitMs;
        if (admits('a', cost)) units += cost;
        expect(units).toBeLessThanOrEqual(5 + ((state.ms - start) / 1_000) * 10 + 1e-6);
      }
    }),
  );
});
