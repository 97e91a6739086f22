import { describe, expect, test } from 'vitest';
import { admitProven, attemptFrom } from './caller-limits.ts';
import { createFailureLimiter } from './failure-limiter.memory.ts';
import { createMemoryRateLimiter } from './rate-limiter.memory.ts';
import type { RateLimit } from './rate-limiter.ts';

const generous = { ratePerSecond: 1_000, burst: 1_000 };

function setUp(limits: { failures?: RateLimit; keys?: RateLimit; callers?: RateLimit }) {
  const clock = { now: () => new Date(1_800_000_000_000) };
  const open = (limit = generous) => createMemoryRateLimiter({ clock }, limit);
  const failures = createFailureLimiter({ clock }, limits.failures ?? generous);
  return { failures, keys: open(limits.keys), callers: open(limits.callers) };
}

const caller = { callerId: 'a', keyId: 'key' };

describe('a proven caller', () => {
  test('whose limit is used up takes nothing from its key', async () => {
    const limits = setUp({ keys: { ratePerSecond: 1, burst: 2 }, callers: { ratePerSecond: 1, burst: 1 } });
    expect((await admitProven(limits, caller)).isAdmitted).toBe(true);
    for (let n = 0; n < 5; n++) expect((await admitProven(limits, caller)).isAdmitted).toBe(false);
    expect(limits.keys.take('key').isAdmitted).toBe(true);
  });

  test('whose key is used up takes nothing from its other keys', async () => {
    const limits = setUp({ keys: { ratePerSecond: 1, burst: 1 }, callers: { ratePerSecond: 1, burst: 2 } });
    expect((await admitProven(limits, caller)).isAdmitted).toBe(true);
    for (let n = 0; n < 5; n++) expect((await admitProven(limits, caller)).isAdmitted).toBe(false);
    expect((await admitProven(limits, { ...caller, keyId: 'other key' })).isAdmitted).toBe(true);
  });

  test('without a key is limited by itself alone', async () => {
    const limits = setUp({ callers: { ratePerSecond: 1, burst: 1 } });
    const withoutKey = { callerId: 'a', keyId: undefined };
    expect((await admitProven(limits, withoutKey)).isAdmitted).toBe(true);
    expect((await admitProven(limits, withoutKey)).isAdmitted).toBe(false);
  });
});

describe('attempts from a network', () => {
  const limits = () => setUp({ failures: { ratePerSecond: 1, burst: 2 } });
  const attempt = (outcome: boolean) => ({ run: async () => outcome, hasFailed: (ok: boolean) => !ok });

  test('are refused, without being made, once two have failed', async () => {
    const given = limits();
    for (let n = 0; n < 2; n++)
      expect(await attemptFrom(given, 'net', attempt(false))).toEqual({ outcome: false });
    const unmade = { run: () => Promise.reject(new Error('was made')), hasFailed: () => false };
    expect(await attemptFrom(given, 'net', unmade)).toMatchObject({ admission: { isAdmitted: false } });
  });

  test('that succeed cost nothing', async () => {
    const given = limits();
    for (let n = 0; n < 20; n++)
      expect(await attemptFrom(given, 'net', attempt(true))).toEqual({ outcome: true });
  });

  // Threat: while a part of ours is down, everybody who retries is shut out as if they had guessed.
  test('that fail because of us cost nothing', async () => {
    const given = limits();
    const fault = { run: () => Promise.reject(new Error('database away')), hasFailed: () => true };
    for (let n = 0; n < 20; n++) await expect(attemptFrom(given, 'net', fault)).rejects.toThrow('away');
    expect(await attemptFrom(given, 'net', attempt(true))).toEqual({ outcome: true });
  });

  // Threat: a thousand guesses at once, before the first has been found to be wrong.
  test('that are made at once are no way around the limit', async () => {
    const given = limits();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () => attemptFrom(given, 'net', attempt(false))),
    );
    expect(outcomes.filter((outcome) => 'outcome' in outcome)).toHaveLength(2);
  });

  // Threat: a nightly start of sixty jobs behind one address, or one slow issuer, shuts them all out.
  test('that are made at once and succeed are all made in the end', async () => {
    const given = limits();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        attemptFrom(given, 'net', { ...attempt(true), run: () => Promise.resolve().then(() => true) }),
      ),
    );
    expect(outcomes).toEqual(Array(50).fill({ outcome: true }));
  });
});
