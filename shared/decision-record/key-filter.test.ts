import { describe, expect, it } from 'vitest';
import { collectKeys, type DecisionKey, hashKey } from './key-filter.ts';

const keys = (count: number, kind: DecisionKey['kind'] = 'request'): DecisionKey[] =>
  Array.from({ length: count }, (_, n) => ({ kind, value: `${n}` }));
const createKeyFilter = (added: readonly DecisionKey[]) => {
  const collected = collectKeys();
  for (const key of added) collected.add(key);
  return collected.toFilter();
};
const mayHold = (filter: Buffer, key: DecisionKey) =>
  hashKey(key).every((hash) => {
    const bit = hash % (filter.length * 8);
    return (((filter[bit >> 3] ?? 0) >> (bit & 7)) & 1) === 1;
  });

describe('key filter', () => {
  it('misses no key, at about ten bits each', () => {
    const filter = createKeyFilter(keys(5_000));
    expect(keys(5_000).every((key) => mayHold(filter, key))).toBe(true);
    expect(filter.length).toBe(6_250);
  });

  it('is wrong about few others, and tells kinds apart', () => {
    const filter = createKeyFilter(keys(5_000));
    const wrong = keys(5_000, 'resource').filter((key) => mayHold(filter, key));
    expect(wrong.length).toBeLessThan(150);
  });
});
