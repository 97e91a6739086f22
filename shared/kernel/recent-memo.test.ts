import { describe, expect, it } from 'vitest';
import { createRecentMemo } from './index.ts';

describe('a recent memo', () => {
  it('knows what was set of an object, and nothing of another that looks like it', () => {
    const memo = createRecentMemo<object, string>();
    const key = {};
    expect(memo.get(key)).toBeUndefined();
    memo.set(key, 'first');
    expect(memo.get(key)).toBe('first');
    memo.set(key, 'second');
    expect(memo.get(key)).toBe('second');
    expect(memo.get({})).toBeUndefined();
  });

  it('keeps what is asked for, and forgets what is not', () => {
    const memo = createRecentMemo<object, number>(4);
    const used = {};
    const left = {};
    memo.set(used, 1);
    memo.set(left, 2);
    for (let n = 0; n < 100; n++) {
      expect(memo.get(used)).toBe(1);
      memo.set({}, n);
    }
    expect(memo.get(left)).toBeUndefined();
  });
});
