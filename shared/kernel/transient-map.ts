/**
 * The part of a `Map` that what is under way needs. Whoever goes through it may delete what he has been given; what is
 * deleted or added elsewhere meanwhile may come or not.
 */
export type TransientMap<K, V> = Iterable<[K, V]> & {
  readonly size: number;
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  /** Whether it was there. */
  delete(key: K): boolean;
};

export type TransientSet<T> = Iterable<T> & {
  readonly size: number;
  add(value: T): void;
  /** Whether it was there. */
  delete(value: T): boolean;
};

const deletionsMin = 16;

/**
 * For what comes and goes with every request, in the order in which it came. V8 replaces the table of a `Map` every
 * few insertions, and leaves in the old table what it held and a pointer to the new one. So once one table has grown
 * old, all that follow live with everything they held until the next major collection, and bring it about: in
 * `authorize` that was every request's body, facts and records, a full collection every few seconds, and each kept all
 * cores from answering for 0.2 s. Here the map itself is replaced, to which no old table points.
 */
export function createTransientMap<K, V>(): TransientMap<K, V> {
  let map = new Map<K, V>();
  let deletions = 0;
  return {
    get size() {
      return map.size;
    },
    get: (key) => map.get(key),
    set: (key, value) => void map.set(key, value),
    delete: (key) => {
      const wasThere = map.delete(key);
      // As many as are left: then the copies cost no more than the deletions did.
      if (wasThere && ++deletions >= deletionsMin + map.size) {
        map = new Map(map);
        deletions = 0;
      }
      return wasThere;
    },
    [Symbol.iterator]: () => map[Symbol.iterator](),
  };
}

export function createTransientSet<T>(): TransientSet<T> {
  const map = createTransientMap<T, true>();
  return {
    get size() {
      return map.size;
    },
    add: (value) => map.set(value, true),
    delete: (value) => map.delete(value),
    *[Symbol.iterator]() {
      for (const [value] of map) yield value;
    },
  };
}
