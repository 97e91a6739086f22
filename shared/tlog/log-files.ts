import { invariant } from '../kernel/index.ts';
import { encodeEntryBundle } from './entry-bundle.ts';
import { hashBytes, hashLeaf } from './leaf-hash.ts';
import { type HashTile, tileBytesMax, tileWidth } from './tile.ts';
import { formatTilePath } from './tile-path.ts';
import { appendLeaves, rootOf, type TreeHead } from './tree.ts';

/** A file of a log, its path relative to the log's prefix. */
export type LogFile = { readonly path: string; readonly bytes: Uint8Array };

/**
 * Every file of a log but its checkpoint, from its entries in order; each file as soon as it is final, holding no
 * more than one bundle in memory. Returns the tree head, to compare with (or to sign as) the checkpoint, which
 * belongs last: a checkpoint must not be seen before the tiles it needs. Entries over the limit are a bug here,
 * since a log admits none: `InvariantError`.
 */
export async function* logFiles(
  entries: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<LogFile, TreeHead> {
  let tree: { size: number; tiles: readonly HashTile[] } = { size: 0, tiles: [] };
  for await (const bundle of inBundles(entries)) {
    yield bundleFile(tree.size / tileWidth, bundle);
    const grown = appendLeaves({ ...tree, leafHashes: bundle.map(hashLeaf) });
    for (const tile of grown.changed.filter(isFull)) yield tileFile(tile);
    tree = grown;
  }
  for (const tile of tree.tiles) yield tileFile(tile);
  return { size: tree.size, root: rootOf(tree) };
}

async function* inBundles(
  entries: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array[]> {
  let bundle: Uint8Array[] = [];
  for await (const entry of entries) {
    bundle.push(entry);
    if (bundle.length < tileWidth) continue;
    yield bundle;
    bundle = [];
  }
  if (bundle.length > 0) yield bundle;
}

function bundleFile(index: number, entries: readonly Uint8Array[]): LogFile {
  const encoded = encodeEntryBundle(entries);
  invariant(encoded.ok, `an entry of bundle ${index} is too large`);
  return { path: formatTilePath({ level: 'entries', index, width: entries.length }), bytes: encoded.value };
}

function tileFile({ level, index, hashes }: HashTile): LogFile {
  const width = hashes.byteLength / hashBytes;
  return { path: formatTilePath({ level, index, width }), bytes: hashes };
}

function isFull(tile: HashTile): boolean {
  return tile.hashes.byteLength === tileBytesMax;
}
