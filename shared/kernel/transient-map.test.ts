import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createTransientMap, createTransientSet } from './index.ts';

describe('a transient map', () => {
  it('is a map, whatever comes and goes', () => {
    const map = createTransientMap<string, number>();
    const model = new Map<string, number>();
    let state = 7;
    const draw = (below: number) => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
    for (let step = 0; step < 20_000; step++) {
      const key = `key-${draw(60)}`;
      if (draw(2) === 0) {
        map.set(key, step);
        model.set(key, step);
      } else expect(map.delete(key)).toBe(model.delete(key));
      expect(map.size).toBe(model.size);
      expect(map.get(key)).toBe(model.get(key));
      if (step % 100 === 0) expect([...map]).toEqual([...model]);
    }
  });

  it('may be changed by whoever goes through it', () => {
    const set = createTransientSet<number>();
    const all = Array.from({ length: 100 }, (_, n) => n);
    for (const n of all) set.add(n);
    const seen: number[] = [];
    for (const n of set) {
      seen.push(n);
      expect(set.delete(n)).toBe(true);
      expect(set.delete(n)).toBe(false);
    }
    expect(seen).toEqual(all);
    expect(set.size).toBe(0);
    expect([...set]).toEqual([]);
  });

  // If the second is ever no longer true, V8 has learned it, and this module can go.
  it('lets what it forgot die young, which a map does not', () => {
    expect(keptOf(createTransientMap<number, number[]>())).toBeLessThan(1 / 8);
    expect(keptOf(new Map<number, number[]>())).toBeGreaterThan(1 / 2);
  });
});

/** Which part of what passed through a map is old afterwards, and so is there until the next major collection. */
function keptOf(map: { set(key: number, value: number[]): unknown; delete(key: number): boolean }): number {
  setFlagsFromString('--expose-gc');
  const collect: (options: { type: 'minor' }) => void = runInNewContext('gc');
  const passed = 1_000;
  const numbers = 500;
  map.set(-1, []);
  for (let times = 0; times < 4; times++) collect({ type: 'minor' });
  const before = oldBytes();
  for (let n = 0; n < passed; n++) {
    map.set(
      n,
      Array.from({ length: numbers }, (_, place) => n + place),
    );
    map.delete(n - 3);
    if (n % 50 === 0) collect({ type: 'minor' });
  }
  for (let times = 0; times < 4; times++) collect({ type: 'minor' });
  return (oldBytes() - before) / (passed * numbers * 8);
}

function oldBytes(): number {
  const spaces = getHeapSpaceStatistics().filter(({ space_name }) => /^(old|large_object)/.test(space_name));
  return spaces.reduce((sum, space) => sum + space.space_used_size, 0);
}
