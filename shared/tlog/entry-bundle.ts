import { fail, invariant, ok, type Result } from '../kernel/index.ts';
import { tileWidth } from './tile.ts';

/**
 * Our own limit, 60 KiB. The format ends at 65,535 bytes, because an entry's length is a uint16; the distance
 * leaves room for a log server in between that wraps entries.
 */
export const entryBytesMax = 60 * 1024;

/** Full bundle of the largest entries the format allows, not only those we would write. */
export const bundleBytesMax = tileWidth * (2 + 0xffff);

export type EntryTooLarge = {
  readonly code: 'entry.too_large';
  /** Position in the given list. */
  readonly position: number;
  readonly bytes: number;
  readonly bytesMax: number;
};

export type BundleMalformed = {
  readonly code: 'bundle.malformed';
  readonly reason: string;
  /** The entries before the first that could not be read. */
  readonly entriesRead: readonly Uint8Array[];
};

/** c2sp.org/tlog-tiles, "Log entries": each entry behind its length as a big-endian uint16. Takes 1 to 256. */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Result<Uint8Array, EntryTooLarge> {
  invariant(entries.length > 0 && entries.length <= tileWidth, 'a bundle holds 1 to 256 entries');
  const position = entries.findIndex((entry) => entry.byteLength > entryBytesMax);
  const tooLarge = entries[position];
  if (tooLarge !== undefined) {
    return fail({ code: 'entry.too_large', position, bytes: tooLarge.byteLength, bytesMax: entryBytesMax });
  }
  return ok(Buffer.concat(entries.flatMap((entry) => [lengthPrefix(entry), entry])));
}

/** Reads exactly `width` entries and not a byte more. The entries are views into `bundle`. */
export function decodeEntryBundle(bundle: Uint8Array, width: number): Result<Uint8Array[], BundleMalformed> {
  const view = new DataView(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Uint8Array[] = [];
  const malformed = (reason: string) => fail({ code: 'bundle.malformed', reason, entriesRead: entries });
  let offset = 0;
  while (entries.length < width) {
    if (offset + 2 > bundle.byteLength) return malformed(`ends after ${entries.length} of ${width} entries`);
    const end = offset + 2 + view.getUint16(offset);
    if (end > bundle.byteLength) return malformed(`entry ${entries.length} runs past the end`);
    entries.push(bundle.subarray(offset + 2, end));
    offset = end;
  }
  return offset === bundle.byteLength ? ok(entries) : malformed(`goes on after ${width} entries`);
}

function lengthPrefix(entry: Uint8Array): Uint8Array {
  return Uint8Array.of(entry.byteLength >> 8, entry.byteLength & 0xff);
}
