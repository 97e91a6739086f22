import { beforeEach, describe, expect, test } from 'vitest';
import type { DatabasePool } from '../db/index.ts';
import { type Clock, secondsAfter } from '../kernel/index.ts';
import { createSigningKeyPair } from './create-signing-key.ts';
import type { SigningKey } from './signing-key.ts';
import { openSigningKeySet, type SigningKeySet } from './signing-key-set.ts';

const client = { query: async () => ({ rows: [] }), release: () => undefined };
// The store below never touches the transaction it is given, so the pool only has to open one.
const pool = { connect: async () => client } as unknown as DatabasePool;

let now: Date;
let stored: SigningKey[];
let reads: number;
let failure: Error | undefined;
/** Called when what is stored has been read and is on its way. */
let onList: () => void;
let keys: SigningKeySet;
const clock: Clock = { now: () => now };
const store = {
  list: async () => {
    reads += 1;
    const found = [...stored];
    onList();
    await new Promise((resolve) => setImmediate(resolve));
    if (failure !== undefined) throw failure;
    return found;
  },
};

beforeEach(() => {
  now = new Date('2030-01-01T00:00:00Z');
  stored = [createKey()];
  reads = 0;
  failure = undefined;
  onList = () => undefined;
  keys = openSigningKeySet({ pool, store, clock, refreshSeconds: 10 });
});

function createKey(): SigningKey {
  const { keyId, publicJwk } = createSigningKeyPair();
  return { keyId, publicJwk, algorithm: 'ES256', publishedAt: now, activeFrom: now, verifyUntil: undefined };
}
const beganReading = () =>
  new Promise<void>((began) => {
    onList = began;
  });
const pass = (seconds: number) => {
  now = secondsAfter(now, seconds);
};

describe('the key set', () => {
  test('reads once, however many ask, and again after the refresh interval', async () => {
    await Promise.all(Array.from({ length: 50 }, () => keys.current()));
    pass(9);
    await keys.current();
    expect(reads).toBe(1);
    pass(1);
    await keys.current();
    expect(reads).toBe(2);
  });

  test('is the same array until a key differs', async () => {
    const first = await keys.current();
    keys.invalidate();
    expect(await keys.current()).toBe(first);
    const [only] = stored;
    stored = only === undefined ? [] : [{ ...only, verifyUntil: secondsAfter(now, 60) }];
    keys.invalidate();
    expect(await keys.current()).not.toBe(first);
  });

  test('a change that is notified while it reads is read again', async () => {
    const asked = keys.current();
    const added = createKey();
    stored = [...stored, added];
    keys.invalidate();
    await asked;
    expect((await keys.current()).map(({ keyId }) => keyId)).toContain(added.keyId);
  });

  // Threat: a key is revoked while a read that began before is under way, and whoever shares that read believes it.
  test('what was read before a change is not believed by whoever asks after it', async () => {
    const revoked = stored[0]?.keyId;
    const before = keys.current();
    await beganReading();
    stored = [createKey()];
    keys.invalidate();
    const after = await Promise.all(Array.from({ length: 5 }, () => keys.current()));
    for (const held of after) expect(held.map(({ keyId }) => keyId)).not.toContain(revoked);
    expect((await before).map(({ keyId }) => keyId)).toHaveLength(1);
    expect(reads).toBe(2);
  });

  test('nor while the read that it asked for is under way', async () => {
    const revoked = stored[0]?.keyId;
    await keys.current();
    stored = [createKey()];
    keys.invalidate();
    const first = keys.current();
    const second = keys.current();
    for (const held of await Promise.all([first, second]))
      expect(held.map(({ keyId }) => keyId)).not.toContain(revoked);
    expect(reads).toBe(2);
  });

  test('who asks is answered, however many changes are notified meanwhile', async () => {
    onList = () => keys.invalidate();
    expect(await keys.current()).toHaveLength(1);
    expect(reads).toBe(1);
  });

  // Threat: tokens with made-up key ids turn verifiers into a load on the database.
  test('looks for unknown keys at most once a second', async () => {
    await keys.current();
    await Promise.all(Array.from({ length: 50 }, () => keys.find('made-up')));
    expect(reads).toBe(1);
    pass(1);
    await Promise.all(Array.from({ length: 50 }, () => keys.find('made-up')));
    expect(reads).toBe(2);
  });

  test('finds a key that was published a second ago although no notification came, for every caller', async () => {
    await keys.current();
    const added = createKey();
    stored = [...stored, added];
    pass(1);
    const found = await Promise.all(Array.from({ length: 5 }, () => keys.find(added.keyId)));
    expect(found.map((key) => key?.keyId)).toEqual(Array(5).fill(added.keyId));
    expect(reads).toBe(2);
  });

  test('looks for the first key of a deployment each second', async () => {
    stored = [];
    expect(await keys.current()).toEqual([]);
    expect(keys.isLoaded()).toBe(false);
    stored = [createKey()];
    pass(1);
    expect(await keys.current()).toHaveLength(1);
    expect(keys.isLoaded()).toBe(true);
  });

  test('fails closed: keys that may have changed are not used when they cannot be read', async () => {
    await keys.current();
    failure = new Error('the database is away');
    keys.invalidate();
    await expect(keys.current()).rejects.toThrow('the database is away');
    await expect(keys.find(stored[0]?.keyId ?? '')).rejects.toThrow('the database is away');
    failure = undefined;
    expect(await keys.current()).toHaveLength(1);
  });
});
