import { invariant } from '../kernel/index.ts';
import { hashBytes, hashNode } from '../tlog/index.ts';

/** The siblings of a leaf from the bottom up (RFC 9162 section 2.1.3.1). */
export type InclusionProver = (index: number) => readonly Uint8Array[];

/**
 * Proofs of many entries of one log. `proveInclusion` of tlog reads tiles and hashes within them for each proof anew, some
 * hundred hashes; here every node is made once and kept, 64 bytes an entry, and a proof is a look-up.
 */
export function createInclusionProver(leafHashes: readonly Uint8Array[]): InclusionProver {
  const levels = perfectLevels(leafHashes);
  const edge = new Map<number, Uint8Array>();
  /** Root of the entries from `from` to the end: the only subtrees that are not perfect. */
  const edgeRoot = (from: number): Uint8Array => {
    const known = edge.get(from);
    if (known !== undefined) return known;
    const root = rangeRoot(from, leafHashes.length);
    edge.set(from, root);
    return root;
  };
  const rangeRoot = (from: number, to: number): Uint8Array => {
    const level = Math.log2(to - from);
    if (Number.isInteger(level)) return nodeAt(levels, level, from / 2 ** level);
    const middle = split(from, to);
    return hashNode(rangeRoot(from, middle), edgeRoot(middle));
  };
  return (index) => {
    invariant(index >= 0 && index < leafHashes.length, `no entry ${index} of ${leafHashes.length}`);
    const siblings: Uint8Array[] = [];
    for (let [from, to] = [0, leafHashes.length]; to - from > 1; ) {
      const middle = split(from, to);
      const isLeft = index < middle;
      siblings.unshift(isLeft ? rangeRoot(middle, to) : rangeRoot(from, middle));
      [from, to] = isLeft ? [from, middle] : [middle, to];
    }
    return siblings;
  };
}

/** RFC 9162 section 2.1.1: the left part is the largest power of two that is smaller than the whole. */
function split(from: number, to: number): number {
  return from + 2 ** (Math.ceil(Math.log2(to - from)) - 1);
}

/** Level k holds, joined, the roots of the complete runs of 2^k entries. */
function perfectLevels(leafHashes: readonly Uint8Array[]): readonly Buffer[] {
  const levels = [Buffer.concat(leafHashes)];
  for (let below = levels[0]; below !== undefined && below.length >= 2 * hashBytes; below = levels.at(-1)) {
    const pairs = Math.floor(below.length / (2 * hashBytes));
    const level = Buffer.alloc(pairs * hashBytes);
    for (let pair = 0; pair < pairs; pair++) {
      const left = pair * 2 * hashBytes;
      const middle = left + hashBytes;
      level.set(
        hashNode(below.subarray(left, middle), below.subarray(middle, middle + hashBytes)),
        pair * hashBytes,
      );
    }
    levels.push(level);
  }
  return levels;
}

function nodeAt(levels: readonly Buffer[], level: number, index: number): Uint8Array {
  const node = levels[level]?.subarray(index * hashBytes, (index + 1) * hashBytes);
  invariant(node?.length === hashBytes, `the tree has no node ${index} at level ${level}`);
  return node;
}
