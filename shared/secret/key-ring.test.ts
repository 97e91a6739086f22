import { beforeEach, describe, expect, test } from 'vitest';
import type { DatabasePool } from '../db/index.ts';
import { type Clock, fail, ok, systemRandom as random, secondsAfter } from '../kernel/index.ts';
import type { DataKeyStore, StoredDataKey } from './data-key-store.ts';
import { type KeyRing, openKeyRing } from './key-ring.ts';
import type { KeyWrapper } from './key-wrapper.ts';
import { keyVersionOf } from './sealed-box.ts';

const client = { query: async () => ({ rows: [] }), release: () => undefined };
// The store below never touches the transaction it is given, so the pool only has to open one.
const pool = { connect: async () => client } as unknown as DatabasePool;

let now: Date;
let stored: StoredDataKey[];
let counts: { lists: number; unwraps: number };
let failure: Error | undefined;
let logged: string[];
const clock: Clock = { now: () => now };
const store: DataKeyStore = {
  list: async () => {
    counts.lists += 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (failure !== undefined) throw failure;
    return [...stored];
  },
  add: async (_, key) => stored.push(key) > 0,
  listWrappedOtherwise: async () => [],
  replaceWrapped: async () => false,
  destroy: async () => [],
};
const wrapper: KeyWrapper = {
  currentKeyId: async () => 'wrapping-key',
  wrap: async (bytes) => ({ bytes, wrappingKeyId: 'wrapping-key' }),
  unwrap: async (wrapped) => {
    counts.unwraps += 1;
    return wrapped.byteLength === 32
      ? ok(wrapped)
      : fail({ code: 'wrapped_key.unreadable', reason: 'garbage' });
  },
};
const logger = { error: (_: unknown, message: string) => void logged.push(message) };

beforeEach(() => {
  now = new Date('2030-01-01T00:00:00Z');
  stored = [];
  counts = { lists: 0, unwraps: 0 };
  failure = undefined;
  logged = [];
});

const open = (): Promise<KeyRing> =>
  openKeyRing({ pool, store, wrapper, clock, random, logger }, 'git-source');
function addVersion(version: number, wrappedKey: Uint8Array = random.bytes(32)): void {
  const key = { dataKeyId: `dk_${version}`, purpose: 'git-source', wrappingKeyId: 'wrapping-key' };
  stored.push({ ...key, version, wrappedKey, createdAt: now, activeFrom: now });
}
const pass = (seconds: number) => {
  now = secondsAfter(now, seconds);
};
async function versionSealedWith(ring: KeyRing): Promise<number> {
  const version = keyVersionOf(await ring.seal('text', 'context'));
  return version.ok ? version.value : 0;
}

describe('sealing', () => {
  test('after a time without use is done with the version that seals by then, at the first call', async () => {
    const ring = await open();
    addVersion(2);
    pass(86_400);
    expect(await versionSealedWith(ring)).toBe(2);
  });

  test('asks the database once a refresh time, however many seal', async () => {
    const ring = await open();
    pass(60);
    const before = counts.lists;
    await Promise.all(Array.from({ length: 100 }, () => ring.seal('text', 'context')));
    expect(counts.lists).toBe(before + 1);
    pass(59);
    await ring.seal('text', 'context');
    expect(counts.lists).toBe(before + 1);
  });

  test('goes on with what is known while the database is away, says so, and soon looks again', async () => {
    const ring = await open();
    addVersion(2);
    pass(60);
    failure = new Error('the database is away');
    expect(await versionSealedWith(ring)).toBe(1);
    expect(logged).toEqual(['New data keys were not looked for']);
    failure = undefined;
    pass(5);
    expect(await versionSealedWith(ring)).toBe(2);
  });
});

describe('an unknown version', () => {
  test('that a hundred boxes name is fetched once', async () => {
    const ring = await open();
    addVersion(2);
    const elsewhere = await open();
    pass(1);
    const boxes = await Promise.all(Array.from({ length: 100 }, (_, n) => elsewhere.seal(`${n}`, 'context')));
    counts = { lists: 0, unwraps: 0 };
    const opened = await Promise.all(boxes.map((box) => ring.open(box, 'context')));
    expect(opened.map((one) => one.ok && one.value.toString())).toEqual(boxes.map((_, n) => `${n}`));
    expect(counts).toEqual({ lists: 1, unwraps: 1 });
  });

  test('is found when a look began before it was there', async () => {
    const ring = await open();
    pass(60);
    ring.current();
    addVersion(2);
    expect(await ring.find(2)).toMatchObject({ version: 2 });
  });
});

describe('a version that does not unwrap', () => {
  test('and that nobody seals with keeps no process from starting', async () => {
    addVersion(1, Buffer.from('garbage'));
    addVersion(2);
    const ring = await open();
    expect(await versionSealedWith(ring)).toBe(2);
    expect(await ring.find(1)).toBeUndefined();
    expect(logged).toEqual(['A data key does not unwrap']);
  });

  test('and that seals now does', async () => {
    addVersion(1);
    addVersion(2, Buffer.from('garbage'));
    await expect(open()).rejects.toThrow('git-source that seals now, version 2, does not unwrap');
  });
});
