import { invariant } from '../kernel/index.ts';
import { hashBytes } from './leaf-hash.ts';

/** Hashes in a full hash tile, and entries in a full entry bundle. */
export const tileWidth = 256;
export const tileBytesMax = tileWidth * hashBytes;

/** Where a hash tile stands: level 0 holds leaf hashes, level L+1 one hash per FULL tile of level L. */
export type TilePosition = { readonly level: number; readonly index: number };

/** A tile as a tree of a given size has it: `width` hashes, 1 to 256. */
export type TileReference = TilePosition & { readonly width: number };

/** A tile and its hashes, joined: a multiple of 32 bytes, 32 to 8,192. */
export type HashTile = TilePosition & { readonly hashes: Uint8Array };

/**
 * The partial tiles of a tree, lowest level first: together they determine its root and are all that an append
 * needs. At most one per level; none for the empty tree.
 */
export function rightEdgeTiles(size: number): TileReference[] {
  return widthsByLevel(size).flatMap((hashes, level) =>
    hashes % tileWidth === 0 ? [] : [lastTile(level, hashes)],
  );
}

/** Every tile a complete log of this size is made of, lowest level first. */
export function* tilesOfTree(size: number): Generator<TileReference> {
  for (const [level, hashes] of widthsByLevel(size).entries()) {
    for (let index = 0; index < Math.ceil(hashes / tileWidth); index++) yield tileAt(size, { level, index });
  }
}

/** The tile at a position, with the width it has in a tree of this size. The tree must reach that far. */
export function tileAt(size: number, { level, index }: TilePosition): TileReference {
  const hashes = hashesAtLevel(size, level);
  const width = Math.min(tileWidth, hashes - index * tileWidth);
  invariant(width > 0, `a tree of ${size} entries has no tile ${index} at level ${level}`);
  return { level, index, width };
}

/** How many hashes a tree has at a tile level: one for each complete run of 256^level entries. */
function hashesAtLevel(size: number, level: number): number {
  return Math.floor(size / tileWidth ** level);
}

/** Sizes and indexes are JavaScript numbers: a log ends at 2^53 - 1 entries, far above any we can write. */
export function isTreeSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function widthsByLevel(size: number): number[] {
  invariant(isTreeSize(size), `${size} is not a tree size`);
  const widths: number[] = [];
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / tileWidth)) widths.push(hashes);
  return widths;
}

function lastTile(level: number, hashes: number): TileReference {
  return { level, index: Math.floor(hashes / tileWidth), width: hashes % tileWidth };
}
