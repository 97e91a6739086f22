import { invariant } from '../kernel/index.ts';
import { emptyRoot, hashBytes, hashNode } from './leaf-hash.ts';
import { type HashTile, isTreeSize, rightEdgeTiles, tileBytesMax, tileWidth } from './tile.ts';

/** What a checkpoint signs: how many entries, and the Merkle tree hash over them (RFC 9162 section 2.1.1). */
export type TreeHead = { readonly size: number; readonly root: Uint8Array };

/** A tree is held by its size and the tiles `rightEdgeTiles(size)` names; a longer stored tile is cut to fit. */
export type TreeEdge = { readonly size: number; readonly tiles: readonly HashTile[] };

export type AppendedTree = TreeHead & {
  /** Tiles to store, by (level, index): new ones, and partial ones that grew. A stored hash never changes. */
  readonly changed: readonly HashTile[];
  /** Right edge of the grown tree, to append to next. */
  readonly tiles: readonly HashTile[];
};

/**
 * Appends leaf hashes. Costs one hash per leaf and reads nothing but the edge given. Throws `InvariantError` when
 * a tile of the edge is missing or too short, which means that the storage lost data.
 */
export function appendLeaves(tree: TreeEdge & { leafHashes: readonly Uint8Array[] }): AppendedTree {
  const edge = new Map(edgeOf(tree).map((tile) => [tile.level, tile]));
  const changed: HashTile[] = [];
  let added = tree.leafHashes;
  for (let level = 0; added.length > 0; level++) {
    const tiles = growLevel(edge.get(level) ?? emptyTile(tree.size, level), added);
    changed.push(...tiles);
    edge.delete(level);
    for (const tile of tiles.filter((candidate) => !isFull(candidate))) edge.set(level, tile);
    added = tiles.filter(isFull).map(tileRoot);
  }
  const size = tree.size + tree.leafHashes.length;
  invariant(isTreeSize(size), 'the tree is too large');
  const tiles = [...edge.values()].sort((left, right) => left.level - right.level);
  return { size, root: rootOf({ size, tiles }), changed, tiles };
}

/** Merkle tree hash from the right edge alone. */
export function rootOf(tree: TreeEdge): Uint8Array {
  let root: Uint8Array | undefined;
  for (const { hashes } of edgeOf(tree)) {
    // A width such as 0b101 is a run of four hashes and a run of one; the last, smallest run is deepest right.
    const width = hashes.byteLength / hashBytes;
    for (let run = 1; run < tileWidth; run *= 2) {
      if ((width & run) === 0) continue;
      const start = width - (width % (2 * run));
      const subtree = perfectRoot(hashes.subarray(start * hashBytes, (start + run) * hashBytes));
      root = root === undefined ? subtree : hashNode(subtree, root);
    }
  }
  return root ?? emptyRoot();
}

/** Root over joined hashes whose number is a power of two. */
export function perfectRoot(hashes: Uint8Array): Uint8Array {
  if (hashes.byteLength === hashBytes) return hashes;
  const half = hashes.byteLength / 2;
  return hashNode(perfectRoot(hashes.subarray(0, half)), perfectRoot(hashes.subarray(half)));
}

function growLevel(last: HashTile, added: readonly Uint8Array[]): HashTile[] {
  const hashes = Buffer.concat([last.hashes, ...added]);
  const tiles: HashTile[] = [];
  for (let start = 0; start < hashes.byteLength; start += tileBytesMax) {
    const index = last.index + start / tileBytesMax;
    tiles.push({ level: last.level, index, hashes: hashes.subarray(start, start + tileBytesMax) });
  }
  return tiles;
}

function edgeOf({ size, tiles }: TreeEdge): HashTile[] {
  return rightEdgeTiles(size).map(({ level, index, width }) => {
    const tile = tiles.find((candidate) => candidate.level === level && candidate.index === index);
    const hashes = tile?.hashes.subarray(0, width * hashBytes);
    invariant(
      hashes?.byteLength === width * hashBytes,
      `tile ${level}/${index} lacks some of ${width} hashes`,
    );
    return { level, index, hashes };
  });
}

function emptyTile(size: number, level: number): HashTile {
  return { level, index: Math.floor(size / tileWidth ** (level + 1)), hashes: new Uint8Array(0) };
}

function isFull(tile: HashTile): boolean {
  return tile.hashes.byteLength === tileBytesMax;
}

function tileRoot(tile: HashTile): Uint8Array {
  return perfectRoot(tile.hashes);
}
