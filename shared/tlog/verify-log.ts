import { fail, ok, type Result } from '../kernel/index.ts';
import { hashBytes, isSameHash } from './leaf-hash.ts';
import type { LogFailure } from './log-failure.ts';
import { firstDifference, type LogReader, readCheckpoint, readLeafHashes, readTile } from './read-log.ts';
import { type HashTile, tileBytesMax, tileWidth } from './tile.ts';
import { formatTilePath } from './tile-path.ts';
import { appendLeaves, rootOf, type TreeHead } from './tree.ts';
import type { VerifierKey } from './verifier-key.ts';

/** Far beyond a day of one organization; a checkpoint that claims more is not worth an hour of reading. */
const entriesMaxDefault = 1_000_000_000;

/**
 * Recomputes a whole log from its entries and compares every tile and the signed root. Reads each file once, in
 * order, holding one bundle at a time. Any change to any file yields a failure; a single one is named exactly.
 * Hostile files never throw; only the reader may.
 */
export async function verifyLog(input: {
  readonly read: LogReader;
  readonly key: VerifierKey;
  readonly entriesMax?: number;
}): Promise<Result<TreeHead, LogFailure>> {
  const { read, key, entriesMax = entriesMaxDefault } = input;
  const checkpoint = await readCheckpoint(read, key);
  if (!checkpoint.ok) return checkpoint;
  const { size, root } = checkpoint.value;
  if (size > entriesMax) return fail({ code: 'log.too_large', size, entriesMax });
  const rebuilt = await rebuild(read, size);
  if (!rebuilt.ok) return rebuilt;
  const failure = judge({ size, isRootSigned: isSameHash(rebuilt.value.root, root) }, rebuilt.value.first);
  return failure === undefined ? ok({ size, root }) : fail(failure);
}

/** A stored hash that is not the one its entries give. */
type Difference = { readonly tile: HashTile; readonly position: number };

type Rebuilt = { readonly root: Uint8Array; readonly first: Difference | undefined };

/** The root the entries give, and the lowest, first stored hash that differs from theirs. */
async function rebuild(read: LogReader, size: number): Promise<Result<Rebuilt, LogFailure>> {
  let tree: { size: number; tiles: readonly HashTile[] } = { size: 0, tiles: [] };
  let first: Difference | undefined;
  while (tree.size < size) {
    const leafHashes = await readLeafHashes(read, { size, index: tree.size / tileWidth });
    if (!leafHashes.ok) return leafHashes;
    const grown = appendLeaves({ ...tree, leafHashes: leafHashes.value });
    for (const tile of finalTiles(grown, size)) {
      const difference = await compare(read, tile);
      if (!difference.ok) return difference;
      first = lower(first, difference.value);
    }
    tree = grown;
  }
  return ok({ root: rootOf(tree), first });
}

/** Tiles that will not grow any more: the full ones, and at the end of the log the partial ones. */
function finalTiles(
  grown: { size: number; changed: readonly HashTile[]; tiles: readonly HashTile[] },
  size: number,
): HashTile[] {
  const full = grown.changed.filter((tile) => tile.hashes.byteLength === tileBytesMax);
  return grown.size === size ? [...full, ...grown.tiles] : full;
}

async function compare(read: LogReader, tile: HashTile): Promise<Result<Difference | undefined, LogFailure>> {
  const stored = await readTile(read, referenceTo(tile));
  if (!stored.ok) return stored;
  if (isSameHash(tile.hashes, stored.value)) return ok(undefined);
  const position = firstDifference(hashesOf(tile), stored.value);
  return ok(position === undefined ? undefined : { tile, position });
}

/**
 * When bundle and tile disagree, the signed root says which of them to believe. If the entries give it, they are
 * whole and the tile is damaged. If not, a leaf hash that differs points at a changed entry; where all leaf
 * hashes agree, entry and leaf hash were changed together, and the tile above shows for which entries.
 */
function judge(
  tree: { size: number; isRootSigned: boolean },
  first: Difference | undefined,
): LogFailure | undefined {
  if (first === undefined) {
    return tree.isRootSigned ? undefined : { code: 'log.root_mismatch', size: tree.size };
  }
  const { tile, position } = first;
  const index = tile.index * tileWidth + position;
  if (tile.level === 0 && !tree.isRootSigned) {
    const path = formatTilePath({ ...referenceTo(tile), level: 'entries' });
    return { code: 'log.entry_damaged', index, path };
  }
  const entriesPerHash = tileWidth ** tile.level;
  const from = index * entriesPerHash;
  return {
    code: 'log.tile_damaged',
    path: formatTilePath(referenceTo(tile)),
    from,
    to: from + entriesPerHash,
  };
}

function lower(first: Difference | undefined, next: Difference | undefined): Difference | undefined {
  if (first === undefined || next === undefined) return first ?? next;
  return next.tile.level < first.tile.level ? next : first;
}

function referenceTo({ level, index, hashes }: HashTile) {
  return { level, index, width: hashes.byteLength / hashBytes };
}

function hashesOf({ hashes }: HashTile): Uint8Array[] {
  return Array.from({ length: hashes.byteLength / hashBytes }, (_, at) =>
    hashes.subarray(at * hashBytes, (at + 1) * hashBytes),
  );
}
