import { fail, ok, type Result } from '../kernel/index.ts';
import { type Checkpoint, type CheckpointFailure, openCheckpoint } from './checkpoint.ts';
import { bundleBytesMax, decodeEntryBundle } from './entry-bundle.ts';
import { hashBytes, hashLeaf, isSameHash } from './leaf-hash.ts';
import type { LogFailure } from './log-failure.ts';
import { noteBytesMax } from './note.ts';
import { type TileReference, tileAt, tileWidth } from './tile.ts';
import { formatTilePath } from './tile-path.ts';
import type { VerifierKey } from './verifier-key.ts';

/**
 * Reads a file of a log, undefined when there is none. A file larger than `bytesMax` is refused in any case, so
 * there is no need to read further. Trouble in reading is thrown.
 */
export type LogReader = (path: string, bytesMax: number) => Promise<Uint8Array | undefined>;

export async function readCheckpoint(
  read: LogReader,
  key: VerifierKey,
): Promise<Result<Checkpoint, LogFailure>> {
  const file = await readFile(read, 'checkpoint', noteBytesMax);
  if (!file.ok) return file;
  const opened = openCheckpoint(file.value, key);
  return opened.ok ? opened : fail(toLogFailure(opened.failure));
}

/** The hashes of a tile, exactly as many as the tree has there. */
export async function readTile(
  read: LogReader,
  tile: TileReference,
): Promise<Result<Uint8Array, LogFailure>> {
  const path = formatTilePath(tile);
  const bytes = tile.width * hashBytes;
  const file = await readFile(read, path, bytes);
  if (!file.ok || file.value.byteLength === bytes) return file;
  return fail({ code: 'log.malformed', path, reason: `${file.value.byteLength} bytes, not ${bytes}` });
}

/** Leaf hashes of the bundle at `index` in a tree of `size`. */
export async function readLeafHashes(
  read: LogReader,
  tree: { size: number; index: number },
): Promise<Result<Uint8Array[], LogFailure>> {
  const { width } = tileAt(tree.size, { level: 0, index: tree.index });
  const path = formatTilePath({ level: 'entries', index: tree.index, width });
  const file = await readFile(read, path, bundleBytesMax);
  if (!file.ok) return file;
  const entries = decodeEntryBundle(file.value, width);
  if (entries.ok) return ok(entries.value.map(hashLeaf));
  const { entriesRead, reason } = entries.failure;
  const tile = await readTile(read, { level: 0, index: tree.index, width });
  if (!tile.ok) return tile;
  // A wrong length prefix shifts all that follows: the first entry that is not what its hash says is the one.
  const position = firstDifference(entriesRead.map(hashLeaf), tile.value) ?? entriesRead.length;
  if (position === width) return fail({ code: 'log.malformed', path, reason });
  return fail({ code: 'log.entry_damaged', index: tree.index * tileWidth + position, path });
}

/** Position of the first of `hashes` that is not the one at its place in the joined `stored`. */
export function firstDifference(hashes: readonly Uint8Array[], stored: Uint8Array): number | undefined {
  const position = hashes.findIndex(
    (hash, at) => !isSameHash(hash, stored.subarray(at * hashBytes, (at + 1) * hashBytes)),
  );
  return position < 0 ? undefined : position;
}

async function readFile(
  read: LogReader,
  path: string,
  bytesMax: number,
): Promise<Result<Uint8Array, LogFailure>> {
  const bytes = await read(path, bytesMax);
  if (bytes === undefined) return fail({ code: 'log.file_missing', path });
  if (bytes.byteLength <= bytesMax) return ok(bytes);
  return fail({ code: 'log.malformed', path, reason: `more than ${bytesMax} bytes` });
}

function toLogFailure(failure: CheckpointFailure): LogFailure {
  switch (failure.code) {
    case 'note.signature_invalid':
    case 'note.signer_unknown':
      return { code: 'log.checkpoint_signature_invalid' };
    case 'checkpoint.origin_mismatch':
      return { code: 'log.origin_mismatch', origin: failure.origin };
    case 'note.malformed':
    case 'checkpoint.malformed':
      return { code: 'log.malformed', path: 'checkpoint', reason: failure.reason };
  }
}
