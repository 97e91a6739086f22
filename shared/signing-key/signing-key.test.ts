import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { secondsAfter } from '../kernel/index.ts';
import { createSigningKeyPair } from './create-signing-key.ts';
import { algorithmOf, type SigningAlgorithm, signingAlgorithms, thumbprintOf } from './jwk.ts';
import {
  activeKey,
  clockSkewSecondsMax,
  correctedSuccessor,
  dueActivation,
  newestKey,
  predecessorOf,
  type RotationPolicy,
  type SigningKey,
  verifyingKeys,
  verifyUntilAfter,
} from './signing-key.ts';

const start = new Date('2030-01-01T00:00:00Z');
const policy: RotationPolicy = {
  algorithms: signingAlgorithms,
  intervalSeconds: 1_000,
  publishLeadSeconds: 60,
  tokenTtlSecondsMax: 300,
  jwksMaxAgeSeconds: 30,
};
const algorithm = 'ES256';
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

/** What the use case does with its answers, on an array. */
function tick(keys: readonly SigningKey[], now: Date, requestedAt?: Date): SigningKey[] {
  return signingAlgorithms.reduce(
    (kept, each) => rotate(kept, { due: keys, algorithm: each, now, requestedAt }),
    verifyingKeys(keys, now),
  );
}

function rotate(
  kept: SigningKey[],
  facts: {
    due: readonly SigningKey[];
    algorithm: SigningAlgorithm;
    now: Date;
    requestedAt: Date | undefined;
  },
): SigningKey[] {
  const { now, algorithm } = facts;
  const corrected = correctedSuccessor(facts.due, { algorithm, now, policy });
  if (corrected !== undefined) return reschedule(kept, corrected);
  const activeFrom = dueActivation(facts.due, { ...facts, policy });
  if (activeFrom === undefined) return kept;
  const newest = newestKey(kept, algorithm);
  const next = keyOf(`${algorithm}-${now.getTime()}`, { algorithm, publishedAt: now, activeFrom });
  return [
    ...kept.map((key) =>
      key === newest ? { ...key, verifyUntil: verifyUntilAfter(activeFrom, policy) } : key,
    ),
    next,
  ];
}

function reschedule(kept: readonly SigningKey[], corrected: SigningKey): SigningKey[] {
  const predecessor = predecessorOf(kept, corrected);
  return kept.map((key) => {
    if (key.keyId === corrected.keyId) return corrected;
    if (key !== predecessor) return key;
    return { ...key, verifyUntil: verifyUntilAfter(corrected.activeFrom, policy) };
  });
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
    expect(activeKey([old, next], { algorithm, now })?.keyId).toBe(active);
    expect(verifyingKeys([old, next], now).map(({ keyId }) => keyId)).toEqual(verifying);
  });

  test('no key signs before the first one', () => {
    expect(activeKey([], { algorithm, now: start })).toBeUndefined();
    expect(activeKey([next], { algorithm, now: start })).toBeUndefined();
  });
});

describe('when a key is due', () => {
  const only = keyOf('only', {});
  const at = (seconds: number) => secondsAfter(start, seconds);

  test('the first one at once, a successor after the interval and then with the lead', () => {
    expect(dueActivation([], { algorithm, now: start, requestedAt: undefined, policy })).toEqual(start);
    expect(
      dueActivation([only], { algorithm, now: at(999), requestedAt: undefined, policy }),
    ).toBeUndefined();
    expect(dueActivation([only], { algorithm, now: at(1_000), requestedAt: undefined, policy })).toEqual(
      at(1_060),
    );
  });

  test.each([
    ['made after the newest key', 5, at(65)],
    ['made before the newest key, which answers it', -5, undefined],
    ['made at the same instant, which answers it too', 0, undefined],
    ['from the future, which waits', 6, undefined],
  ])('a request %s', (_what, requestedSeconds, expected) => {
    const facts = { algorithm, now: at(5), requestedAt: at(requestedSeconds), policy } as const;
    expect(dueActivation([only], facts)).toEqual(expected);
  });

  // Threat: whoever may ask for rotations makes the key set grow without end.
  test('never while a successor is waiting for its time', () => {
    const waiting = keyOf('waiting', { publishedAt: at(5), activeFrom: at(65) });
    expect(
      dueActivation([only, waiting], { algorithm, now: at(64), requestedAt: at(30), policy }),
    ).toBeUndefined();
    expect(dueActivation([only, waiting], { algorithm, now: at(65), requestedAt: at(30), policy })).toEqual(
      at(125),
    );
  });

  // Verifiers have cached a set without it, whatever other keys they know.
  test('the first key of an algorithm that comes later is shown before it signs', () => {
    const facts = { algorithm: 'EdDSA', now: at(5), requestedAt: undefined, policy } as const;
    expect(dueActivation([only], facts)).toEqual(at(65));
  });
});

describe('algorithms side by side', () => {
  const curve = keyOf('curve', {});
  const edwards = keyOf('edwards', { algorithm: 'EdDSA', verifyUntil: secondsAfter(start, 420) });
  const next = keyOf('next', { algorithm: 'EdDSA', activeFrom: secondsAfter(start, 60) });

  test('each has its own signer, and all verify', () => {
    const now = secondsAfter(start, 60);
    const all = [curve, edwards, next];
    expect(signingAlgorithms.map((each) => activeKey(all, { algorithm: each, now })?.keyId)).toEqual([
      'curve',
      'next',
    ]);
    expect(verifyingKeys(all, now)).toEqual(all);
  });

  test('one that rotates leaves the other alone', () => {
    const now = secondsAfter(start, 10);
    const old = keyOf('old', { publishedAt: secondsAfter(start, -1_000) });
    const rotated = tick([old, { ...edwards, verifyUntil: undefined }], now);
    expect(newestKey(rotated, 'ES256')?.publishedAt).toEqual(now);
    expect(newestKey(rotated, 'EdDSA')?.keyId).toBe('edwards');
  });
});

describe('a clock that jumped', () => {
  const now = secondsAfter(start, 10);
  const year = 365 * 86_400;
  const old = keyOf('old', { verifyUntil: secondsAfter(start, year + 390) });
  const ahead = keyOf('ahead', {
    publishedAt: secondsAfter(start, year),
    activeFrom: secondsAfter(start, year + 60),
  });

  test('forward and back: the successor from the future is taken back to the lead, and rotates on time', () => {
    const keys = tick([old, ahead], now);
    expect(keys).toMatchObject([
      { keyId: 'old', verifyUntil: verifyUntilAfter(secondsAfter(now, 60), policy) },
      { keyId: 'ahead', publishedAt: now, activeFrom: secondsAfter(now, 60) },
      { algorithm: 'EdDSA' },
    ]);
    expect(correctedSuccessor(keys, { algorithm, now, policy })).toBeUndefined();
  });

  test('so far that the old key is gone: the only key left signs at once', () => {
    const [only] = tick([ahead], now);
    expect(only).toMatchObject({ keyId: 'ahead', activeFrom: now });
    expect(activeKey(only === undefined ? [] : [only], { algorithm, now })?.keyId).toBe('ahead');
  });
});

test('however ticks are lost, doubled or requested, each algorithm has a signer and every living token verifies', () => {
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
        for (const each of signingAlgorithms) {
          const signer = activeKey(keys, { algorithm: each, now });
          expect(signer).toBeDefined();
          tokens.push({
            keyId: signer?.keyId ?? '',
            expiresAt: secondsAfter(now, policy.tokenTtlSecondsMax),
          });
        }
        const verifying = verifyingKeys(keys, now).map(({ keyId }) => keyId);
        for (const { keyId, expiresAt } of tokens) if (expiresAt > now) expect(verifying).toContain(keyId);
        expect(keys.filter((key) => key.verifyUntil === undefined)).toHaveLength(2);
        const ageMax =
          policy.tokenTtlSecondsMax +
          clockSkewSecondsMax +
          policy.jwksMaxAgeSeconds +
          policy.publishLeadSeconds;
        expect(verifying.length).toBeLessThanOrEqual(2 * (2 + Math.ceil(ageMax / policy.publishLeadSeconds)));
      }
    }),
    { numRuns: 300 },
  );
});

test.each(signingAlgorithms)(
  'a key for %s is named by its thumbprint, as another implementation computes it',
  async (each) => {
    const { calculateJwkThumbprint } = await import('jose');
    const pair = createSigningKeyPair(each);
    expect(algorithmOf(pair.publicJwk)).toBe(each);
    expect(pair.keyId).toBe(await calculateJwkThumbprint({ ...pair.publicJwk }));
    expect(thumbprintOf(pair.publicJwk)).toBe(pair.keyId);
    expect(Object.keys(pair.publicJwk)).not.toContain('d');
  },
);
