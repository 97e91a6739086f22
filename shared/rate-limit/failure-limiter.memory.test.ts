import { describe, expect, test } from 'vitest';
import { type Redis, RedisUnavailableError } from '../redis/index.ts';
import { attemptFrom } from './caller-limits.ts';
import { createFailureLimiter } from './failure-limiter.memory.ts';
import { openFailureLimiter, openPathFailureLimiter } from './open-rate-limiter.ts';

const clockOf = (state: { ms: number }) => ({ now: () => new Date(state.ms) });

/** Counts what it is told, as the script does, and loses the answer of every call that `loses` says. */
function setUp(limit = { ratePerSecond: 0.001, burst: 60 }) {
  const state = { ms: 1_800_000_000_000, calls: 0, units: 0, loses: (_call: number) => false };
  const redis: Redis = {
    evaluate: async (_script, _keys, [burst, cost, unit]) => {
      const call = state.calls++;
      state.units += Number(cost);
      if (state.loses(call)) throw new RedisUnavailableError('too late');
      return Math.max(0, state.units + Number(unit) - Number(burst));
    },
    ping: async () => undefined,
    keyOf: (space, text) => `${space} ${text}`,
  };
  const deps = { clock: clockOf(state), redis };
  const open = () => ({ failures: openFailureLimiter(deps, 'x', limit) });
  const openForPath = () => ({ failures: openPathFailureLimiter(deps, 'x', limit) });
  return { state, open, openForPath };
}

const attempt = (outcome: boolean) => ({ run: async () => outcome, hasFailed: (ok: boolean) => !ok });

describe('an address that never failed', () => {
  // Threat: a Redis that now and then answers too late shuts out everybody who calls often.
  test.each([
    ['every answer for the second half of an attempt', (call: number) => call >= 60 && call < 120],
    ['every second answer', (call: number) => call % 2 === 1],
    ['every answer', () => true],
  ])('is admitted when Redis is well again after it has lost %s', async (_what, loses) => {
    const { state, open } = setUp();
    const limits = open();
    state.loses = loses;
    await Promise.all(Array.from({ length: 60 }, () => attemptFrom(limits, 'net', attempt(true))));
    for (let n = 0; n < 60; n++) await attemptFrom(limits, 'net', attempt(true));
    state.loses = () => false;
    expect(await attemptFrom(limits, 'net', attempt(true))).toEqual({ outcome: true });
    expect(await attemptFrom(open(), 'net', attempt(true))).toEqual({ outcome: true });
  });
});

describe('an address that failed too often', () => {
  const fail = async (limits: Parameters<typeof attemptFrom>[0], times: number) => {
    for (let n = 0; n < times; n++) await attemptFrom(limits, 'net', attempt(false));
  };

  test('is refused by an instance that it never failed at', async () => {
    const { open } = setUp({ ratePerSecond: 0.001, burst: 3 });
    await fail(open(), 3);
    expect(await attemptFrom(open(), 'net', attempt(true))).toMatchObject({
      admission: { isAdmitted: false },
    });
  });

  test('is refused by an instance that may not wait for Redis once it failed there', async () => {
    const { state, openForPath } = setUp({ ratePerSecond: 0.001, burst: 3 });
    await fail(openForPath(), 3);
    const limits = openForPath();
    await fail(limits, 1);
    const refused = await attemptFrom(limits, 'net', attempt(true));
    expect(refused).toEqual({ admission: { isAdmitted: false, retryAfterSeconds: 60 } });
    state.ms += 60_001;
    expect(await attemptFrom(limits, 'net', attempt(true))).toEqual({ outcome: true });
  });

  test('is still refused while Redis is away', async () => {
    const { state, open } = setUp({ ratePerSecond: 0.001, burst: 3 });
    const limits = open();
    state.loses = () => true;
    await fail(limits, 3);
    expect(await attemptFrom(limits, 'net', attempt(true))).toMatchObject({
      admission: { isAdmitted: false },
    });
  });
});

test('no more attempts are under way at once than may still fail, and a bounded number waits', async () => {
  const state = { ms: 1_800_000_000_000 };
  const limiter = createFailureLimiter(
    { clock: clockOf(state) },
    { ratePerSecond: 0.001, burst: 2 },
    { waitMsMax: 600_000 },
  );
  expect([await limiter.begin('net'), await limiter.begin('net')]).toEqual(
    Array(2).fill({ isAdmitted: true }),
  );
  let admitted = 0;
  const waiting = Array.from({ length: 1_000 }, () =>
    limiter.begin('net').then(({ isAdmitted }) => {
      if (isAdmitted) admitted += 1;
    }),
  );
  expect((await limiter.begin('net')).isAdmitted).toBe(false);
  expect((await limiter.begin('elsewhere')).isAdmitted).toBe(true);
  expect(admitted).toBe(0);
  limiter.end('net', false);
  await waiting[0];
  expect(admitted).toBe(1);
  // The last two fail: nobody who waits is left without an answer.
  limiter.end('net', true);
  limiter.end('net', true);
  await Promise.all(waiting);
  expect(admitted).toBe(1);
});

// Threat: attempts that hang hold up whoever comes behind them for as long as they like.
test('nobody waits for ever behind attempts that do not end', async () => {
  const clock = clockOf({ ms: 1_800_000_000_000 });
  const limiter = createFailureLimiter({ clock }, { ratePerSecond: 0.001, burst: 1 }, { waitMsMax: 1 });
  await limiter.begin('net');
  expect((await limiter.begin('net')).isAdmitted).toBe(false);
  limiter.end('net', false);
  expect((await limiter.begin('net')).isAdmitted).toBe(true);
});
