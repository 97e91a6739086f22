/** What was worked out of an object, for as long as it is asked for. */
export type RecentMemo<K extends object, V> = {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
};

/** Fewer than pass between two minor collections of a busy process. */
const keptDefault = 128;

/**
 * For objects that come and go, of which a few are used again and again; it holds none of them. A `WeakMap` would be
 * as good, if V8's minor collections did not take whatever stands in an old table for alive, whether or not its key is:
 * each value would wait for a major one. Here are two tables: what is set goes into the younger, which takes the older
 * one's place when it holds `kept`, so that where much passes no table grows old. What is not asked for meanwhile is
 * forgotten.
 */
export function createRecentMemo<K extends object, V>(kept = keptDefault): RecentMemo<K, V> {
  let older = new WeakMap<K, V>();
  let younger = new WeakMap<K, V>();
  let count = 0;
  const set = (key: K, value: V) => {
    if (count >= kept) {
      older = younger;
      younger = new WeakMap();
      count = 0;
    }
    younger.set(key, value);
    count++;
  };
  return {
    set,
    get: (key) => {
      const known = younger.get(key);
      if (known !== undefined) return known;
      const before = older.get(key);
      if (before !== undefined) set(key, before);
      return before;
    },
  };
}
