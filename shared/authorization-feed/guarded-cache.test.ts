import { describe, expect, it } from 'vitest';
import { createEpochs } from './epochs.ts';
import { createGuardedCache } from './guarded-cache.ts';

const start = new Date('2026-01-01T00:00:00Z');

function setUp(options: { entriesMax?: number } = {}) {
  const epochs = createEpochs();
  const state = { live: true, now: start, truth: 1, reads: 0 };
  const cache = createGuardedCache<number>({
    feed: { epochOf: epochs.of, isLive: () => state.live },
    clock: { now: () => state.now },
    entriesMax: options.entriesMax ?? 10,
  });
  const fill = async () => {
    state.reads++;
    return { value: state.truth, cacheUntil: new Date(start.getTime() + 60_000) };
  };
  return { epochs, state, cache, fill, get: () => cache.get('key', 'scope', fill) };
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
});
