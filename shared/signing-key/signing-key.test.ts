import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secondsAfter } from '../kernel/index.ts';
import { createSigningKeyPair, thumbprintOf } from './create-signing-key.ts';
import {
  activeKey,
  clockSkewSecondsMax,
  dueActivation,
  newestKey,
  type RotationPolicy,
  type SigningKey,
  verifyingKeys,
  verifyUntilAfter,
} from './signing-key.ts';

const start = new Date('2030-01-01T00:00:00Z');
const policy: RotationPolicy = { intervalSeconds: 1_000, publishLeadSeconds: 60, tokenTtlSecondsMax: 300 };
const { publicJwk } = createSigningKeyPair();

function keyOf(keyId: string, instants: Partial<SigningKey>): SigningKey {
  return {
    keyId,
    algorithm: 'ES256',
    publicJwk,
    publishedAt: start,
    activeFrom: start,
    verifyUntil: undefined,
    ...instants,
  };
}

/** What the use case does with its answer, on an array. */
function tick(keys: readonly SigningKey[], now: Date, requestedAt?: Date): SigningKey[] {
  const activeFrom = dueActivation(keys, { now, requestedAt, policy });
  const kept = verifyingKeys(keys, now);
  if (activeFrom === undefined) return kept;
  const newest = newestKey(keys);
  const next = keyOf(`key-${now.getTime()}`, { publishedAt: now, activeFrom });
  return [
    ...kept.map((key) =>
      key === newest ? { ...key, verifyUntil: verifyUntilAfter(activeFrom, policy) } : key,
    ),
    next,
  ];
}

describe('what a key may do', () => {
  const old = keyOf('old', { verifyUntil: secondsAfter(start, 390) });
  const next = keyOf('next', { activeFrom: secondsAfter(start, 60), publishedAt: secondsAfter(start, 10) });

  test.each([
    ['published, not yet active', 59, 'old', ['old', 'next']],
    ['from its very instant', 60, 'next', ['old', 'next']],
    ['while the last token of the old one lives', 389, 'next', ['old', 'next']],
    ['after that', 390, 'next', ['next']],
  ])('%s', (_what, seconds, active, verifying) => {
    const now = secondsAfter(start, seconds);
    expect(activeKey([old, next], now)?.keyId).toBe(active);
    expect(verifyingKeys([old, next], now).map(({ keyId }) => keyId)).toEqual(verifying);
  });

  test('no key signs before the first one', () => {
    expect(activeKey([], start)).toBeUndefined();
    expect(activeKey([next], start)).toBeUndefined();
  });
});

describe('when a key is due', () => {
  const only = keyOf('only', {});
  const at = (seconds: number) => secondsAfter(start, seconds);

  test('the first one at once, a successor after the interval and then with the lead', () => {
    expect(dueActivation([], { now: start, requestedAt: undefined, policy })).toEqual(start);
    expect(dueActivation([only], { now: at(999), requestedAt: undefined, policy })).toBeUndefined();
    expect(dueActivation([only], { now: at(1_000), requestedAt: undefined, policy })).toEqual(at(1_060));
  });

  test.each([
    ['made after the newest key', 5, at(65)],
    ['made before the newest key, which answers it', -5, undefined],
    ['made at the same instant, which answers it too', 0, undefined],
    ['from the future, which waits', 6, undefined],
  ])('a request %s', (_what, requestedSeconds, expected) => {
    const facts = { now: at(5), requestedAt: at(requestedSeconds), policy };
    expect(dueActivation([only], facts)).toEqual(expected);
  });

  // Threat: whoever may ask for rotations makes the key set grow without end.
  test('never while a successor is waiting for its time', () => {
    const waiting = keyOf('waiting', { publishedAt: at(5), activeFrom: at(65) });
    expect(dueActivation([only, waiting], { now: at(64), requestedAt: at(30), policy })).toBeUndefined();
    expect(dueActivation([only, waiting], { now: at(65), requestedAt: at(30), policy })).toEqual(at(125));
  });
});

test('however ticks are lost, doubled or requested, one key signs and every living token verifies', () => {
  const step = fc.record({
    seconds: fc.integer({ min: 0, max: 700 }),
    ticks: fc.integer({ min: 0, max: 2 }),
    isRequested: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let now = start;
      let keys = tick([], now);
      const tokens: { keyId: string; expiresAt: Date }[] = [];
      for (const { seconds, ticks, isRequested } of steps) {
        const requestedAt = isRequested ? now : undefined;
        now = secondsAfter(now, seconds);
        for (let count = 0; count < ticks; count++) keys = tick(keys, now, requestedAt);
        const signer = activeKey(keys, now);
        expect(signer).toBeDefined();
        tokens.push({ keyId: signer?.keyId ?? '', expiresAt: secondsAfter(now, policy.tokenTtlSecondsMax) });
        const verifying = verifyingKeys(keys, now).map(({ keyId }) => keyId);
        for (const { keyId, expiresAt } of tokens) if (expiresAt > now) expect(verifying).toContain(keyId);
        expect(keys.filter((key) => key.verifyUntil === undefined)).toHaveLength(1);
        const ageMax = policy.tokenTtlSecondsMax + clockSkewSecondsMax + policy.publishLeadSeconds;
        expect(verifying.length).toBeLessThanOrEqual(2 + Math.ceil(ageMax / policy.publishLeadSeconds));
      }
    }),
    { numRuns: 300 },
  );
});

test('a key is named by its RFC 7638 thumbprint, as another implementation computes it', async () => {
  const { calculateJwkThumbprint } = await import('jose');
  const pair = createSigningKeyPair();
  expect(pair.keyId).toBe(await calculateJwkThumbprint({ ...pair.publicJwk }));
  expect(thumbprintOf(pair.publicJwk)).toBe(pair.keyId);
});
