import { describe, expect, it } from 'vitest';
import { createEpochs } from './epochs.ts';
import { createGuardedCache } from './guarded-cache.ts';

const start = new Date('2026-01-01T00:00:00Z');
const later = new Date(start.getTime() + 60_000);

function setUp(options: { entriesMax?: number } = {}) {
  const epochs = createEpochs();
  const state = { live: true, now: start, truth: 1, reads: 0 };
  const feed = { epochOf: epochs.of, isLive: () => state.live };
  const clock = { now: () => state.now };
  const cache = createGuardedCache<number>({ feed, clock, entriesMax: options.entriesMax ?? 10 });
  const fill = async () => {
    state.reads++;
    return { value: state.truth, cacheUntil: new Date(start.getTime() + 60_000) };
  };
  return { epochs, feed, clock, state, cache, fill, get: () => cache.get('key', 'scope', fill) };
}

describe('guarded cache', () => {
  it('answers from memory until the scope changes', async () => {
    const { epochs, state, get } = setUp();
    await get();
    state.truth = 2;
    expect(await get()).toBe(1);
    epochs.advance('another scope');
    expect(await get()).toBe(1);
    epochs.advance('scope');
    expect(await get()).toBe(2);
    expect(state.reads).toBe(2);
  });

  it('believes nothing while the feed is silent, and again what is still true afterwards', async () => {
    const { state, get } = setUp();
    await get();
    state.truth = 2;
    state.live = false;
    expect(await get()).toBe(2);
    expect(await get()).toBe(2);
    expect(state.reads).toBe(3);
  });

  it('drops everything when the feed had to reconnect', async () => {
    const { epochs, state, get } = setUp();
    await get();
    state.truth = 2;
    epochs.advanceAll();
    expect(await get()).toBe(2);
  });

  it('never believes a fill that read before a change and ended after it', async () => {
    const { epochs, cache, fill, get } = setUp();
    const slow = Promise.withResolvers<{ value: number; cacheUntil: Date }>();
    const racing = cache.get('key', 'scope', () => slow.promise);
    epochs.advance('scope');
    expect(await cache.get('key', 'scope', async () => ({ ...(await fill()), value: 2 }))).toBe(2);
    slow.resolve({ value: 1, cacheUntil: new Date(start.getTime() + 60_000) });
    expect(await racing).toBe(1);
    expect(await get()).toBe(2);
  });

  it('reads once for callers who miss together, but never shares a read older than a change', async () => {
    const { epochs, state, get } = setUp();
    await Promise.all([get(), get(), get()]);
    expect(state.reads).toBe(1);
    epochs.advance('scope');
    const before = get();
    epochs.advance('scope');
    await Promise.all([before, get()]);
    expect(state.reads).toBe(3);
  });

  it('ends an entry with its own time', async () => {
    const { state, get } = setUp();
    await get();
    state.now = new Date(start.getTime() + 60_000);
    await get();
    expect(state.reads).toBe(2);
  });

  it('keeps nothing of a failed fill', async () => {
    const { cache, get } = setUp();
    await expect(cache.get('key', 'scope', () => Promise.reject(new Error('down')))).rejects.toThrow('down');
    expect(await get()).toBe(1);
  });

  it('holds no more entries than its bound', async () => {
    const { cache, fill, state } = setUp({ entriesMax: 2 });
    for (const key of ['a', 'b', 'c', 'a']) await cache.get(key, 'scope', fill);
    expect(state.reads).toBe(4);
  });

  it('holds no more than its room, whatever the number of entries', async () => {
    const { feed, clock } = setUp();
    const room = { sizeMax: 100, sizeOf: (text: string) => text.length };
    const cache = createGuardedCache<string>({ feed, clock, entriesMax: 1_000, room });
    const get = (key: string, length: number) =>
      cache.get(key, 'scope', async () => ({ value: 'x'.repeat(length), cacheUntil: later }));
    for (let n = 0; n < 50; n++) await get(`key ${n}`, 10);
    await get('larger than all', 101);
    const kept = Array.from({ length: 50 }, (_, n) => cache.peek(`key ${n}`)).filter(
      (text) => text !== undefined,
    );
    expect(kept).toHaveLength(10);
  });

  // Threat: whoever asks about subjects that do not exist drives out everybody that does.
  it('gives what callers can make up no room but its own', async () => {
    const { feed, clock } = setUp();
    const cache = createGuardedCache<string>({ feed, clock, entriesMax: 100 });
    const get = (key: string, isMadeUp: boolean) =>
      cache.get(key, 'scope', async () => ({ value: key, cacheUntil: later, isMadeUp }));
    for (let n = 0; n < 100; n++) await get(`real ${n}`, false);
    for (let n = 0; n < 1_000; n++) await get(`made up ${n}`, true);
    const count = (kind: string) =>
      Array.from({ length: 1_000 }, (_, n) => cache.peek(`${kind} ${n}`)).filter(
        (text) => text !== undefined,
      );
    expect(count('real')).toHaveLength(100);
    expect(count('made up')).toHaveLength(5);
  });

  it('forgets that an entry was made up once it is real', async () => {
    const { feed, clock, epochs } = setUp();
    const cache = createGuardedCache<string>({ feed, clock, entriesMax: 100 });
    await cache.get('key', 'scope', async () => ({ value: 'none', cacheUntil: later, isMadeUp: true }));
    epochs.advance('scope');
    await cache.get('key', 'scope', async () => ({ value: 'real', cacheUntil: later }));
    expect(cache.peek('key')).toBe('real');
  });

  it('renews what is kept for whoever knows that it is too old, by a read of his own', async () => {
    const { cache, fill, get, state } = setUp();
    await get();
    state.truth = 2;
    expect(await cache.renew('key', 'scope', fill)).toBe(2);
    expect(await get()).toBe(2);
    expect(state.reads).toBe(2);
  });
});

describe('epochs', () => {
  it('never repeat, and all advance when there are too many to remember', () => {
    const epochs = createEpochs(2);
    const first = epochs.of('a');
    epochs.advance('a');
    epochs.advance('b');
    const second = epochs.of('a');
    epochs.advance('c');
    expect(new Set([first, second, epochs.of('a')]).size).toBe(3);
    expect(epochs.of('b')).toBe(epochs.of('a'));
    expect(epochs.of('c')).toBeGreaterThan(epochs.of('a'));
  });

  // Zanzibar, section 2.2: an answer given once at a revision must not be followed by one from before it.
  it('keeps nothing in the place of what says that it is newer', async () => {
    const { feed, clock } = setUp();
    const isOlder = (value: number, kept: number) => value < kept;
    const cache = createGuardedCache<number>({ feed, clock, entriesMax: 10, isOlder });
    const slow = Promise.withResolvers<{ value: number; cacheUntil: Date }>();
    const racing = cache.get('key', 'scope', () => slow.promise);
    await cache.renew('key', 'scope', async () => ({ value: 2, cacheUntil: later }));
    slow.resolve({ value: 1, cacheUntil: later });
    expect(await racing).toBe(1);
    expect(cache.peek('key')).toBe(2);
    await cache.renew('key', 'scope', async () => ({ value: 3, cacheUntil: later }));
    expect(cache.peek('key')).toBe(3);
  });
});
