import { createHash } from 'node:crypto';

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
  const digest = createHash('sha256').update(`${kind}\0${value}`).digest();
  return [0, 4, 8, 12].map((at) => digest.readUInt32BE(at));
}

export function createKeyFilter(keys: Iterable<DecisionKey>): Buffer {
  const distinct = new Map([...keys].map((key) => [`${key.kind}\0${key.value}`, key]));
  const bytes = Math.ceil((distinct.size * bitsAKey) / 8);
  const filter = Buffer.alloc(Math.min(Math.max(bytes, bytesMin), bytesMax));
  for (const key of distinct.values()) {
    for (const bit of hashKey(key).map((hash) => hash % (filter.length * 8))) {
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
    }
  }
  return filter;
}
