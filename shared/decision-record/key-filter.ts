import { hash } from 'node:crypto';

/**
 * Which segments may hold a record of this request, this principal or this resource: a Bloom filter a segment, about
 * ten bits a key, by which one in a hundred is read in vain and none is missed. Bit n is bit n mod 8, from the least
 * significant, of byte n / 8: as PostgreSQL's `get_bit(bytea, n)` counts.
 */
export type DecisionKey = { readonly kind: 'request' | 'principal' | 'resource'; readonly value: string };

const bitsAKey = 10;
const bytesMin = 8;
const bytesMax = 65_536;

/** Four numbers below 2^32; each names a bit by its remainder. */
export function hashKey({ kind, value }: DecisionKey): readonly number[] {
  const digest = hash('sha256', `${kind}\0${value}`, 'buffer');
  return [0, 4, 8, 12].map((at) => digest.readUInt32BE(at));
}

/** Keys as they are met: a segment of thousands is read a few at a time. */
export type KeyCollector = { add(key: DecisionKey): void; toFilter(): Buffer };

export function collectKeys(): KeyCollector {
  const hashes = new Map<string, readonly number[]>();
  return {
    add: (key) => {
      const name = `${key.kind}\0${key.value}`;
      if (!hashes.has(name)) hashes.set(name, hashKey(key));
    },
    toFilter: () => toFilter([...hashes.values()]),
  };
}

function toFilter(keys: readonly (readonly number[])[]): Buffer {
  const bytes = Math.ceil((keys.length * bitsAKey) / 8);
  const filter = Buffer.alloc(Math.min(Math.max(bytes, bytesMin), bytesMax));
  for (const hashes of keys) {
    for (const bit of hashes.map((each) => each % (filter.length * 8))) {
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return filter;
}
