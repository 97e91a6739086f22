import { createHash } from 'node:crypto';
import type { Random } from '../../shared/kernel/index.ts';

/** Bytes that depend on the label alone: the same ids and keys on every machine, and none needs those before it. */
export function seededBytes(label: string): Random {
  let draws = 0;
  return {
    bytes: (count) => createHash('shake256', { outputLength: count }).update(`${draws++}:${label}`).digest(),
  };
}

/** mulberry32: small, good enough to mix questions, and the same on every machine. */
export function seededNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
