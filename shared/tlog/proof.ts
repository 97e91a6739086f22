import { invariant } from '../kernel/index.ts';
import { hashBytes, hashNode } from './leaf-hash.ts';
import { isTreeSize, type TileReference, tileAt, tileWidth } from './tile.ts';
import { perfectRoot } from './tree.ts';

/**
 * Gives the hashes of a stored tile. It may give more than `width` of them (storage that has grown past the tree
 * asked about); fewer is lost data and throws `InvariantError`.
 */
export type TileReader = (tile: TileReference) => Uint8Array | Promise<Uint8Array>;

type Tree = { readonly size: number; readonly read: TileReader };
/** Entries from `from` up to, not including, `to`. */
type Range = { readonly from: number; readonly to: number };

/** RFC 9162 section 2.1.3.1: the siblings from the leaf to the root. Reads about two tiles per level. */
export async function proveInclusion(input: Tree & { index: number }): Promise<Uint8Array[]> {
  const { index, size } = input;
  invariant(isTreeSize(size) && isTreeSize(index) && index < size, `no entry ${index} in ${size} entries`);
  const tree = { size, read: readOnce(input.read) };
  const siblings: Range[] = [];
  for (let range = { from: 0, to: size }; range.to - range.from > 1; ) {
    const [left, right] = split(range);
    siblings.unshift(index < left.to ? right : left);
    range = index < left.to ? left : right;
  }
  return inOrder(siblings, (range) => rangeRoot(tree, range));
}

/** RFC 9162 section 2.1.1: the left part is the largest power of two that is smaller than the whole. */
function split({ from, to }: Range): readonly [Range, Range] {
  let half = 1;
  while (half * 2 < to - from) half *= 2;
  return [
    { from, to: from + half },
    { from: from + half, to },
  ];
}

async function rangeRoot(tree: Tree, range: Range): Promise<Uint8Array> {
  const stored = storedRun(range);
  if (stored !== undefined) return perfectRoot(await readRun(tree, stored));
  const [left, right] = split(range);
  return hashNode(await rangeRoot(tree, left), await rangeRoot(tree, right));
}

type Run = { level: number; first: number; count: number };

/** A range whose length is a power of two lies inside one tile, at the highest level whose hashes divide it. */
function storedRun({ from, to }: Range): Run | undefined {
  let [level, count] = [0, to - from];
  while (count % tileWidth === 0) [level, count] = [level + 1, count / tileWidth];
  const isPowerOfTwo = count < tileWidth && (count & (count - 1)) === 0;
  return isPowerOfTwo ? { level, first: from / tileWidth ** level, count } : undefined;
}

async function readRun({ size, read }: Tree, { level, first, count }: Run): Promise<Uint8Array> {
  const tile = tileAt(size, { level, index: Math.floor(first / tileWidth) });
  const hashes = await read(tile);
  invariant(
    hashes.byteLength >= tile.width * hashBytes,
    `tile ${level}/${tile.index} is shorter than the log`,
  );
  const start = (first % tileWidth) * hashBytes;
  return hashes.subarray(start, start + count * hashBytes);
}

/** Neighbouring siblings lie in the same tile: each is read once per proof. */
function readOnce(read: TileReader): TileReader {
  const seen = new Map<string, ReturnType<TileReader>>();
  return (tile) => {
    const key = `${tile.level}/${tile.index}`;
    const known = seen.get(key) ?? read(tile);
    seen.set(key, known);
    return known;
  };
}

async function inOrder<T, U>(items: readonly T[], work: (item: T) => Promise<U>): Promise<U[]> {
  const results: U[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
