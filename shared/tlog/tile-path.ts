import { fail, ok, type Result } from '../kernel/index.ts';
import { type TileReference, tileWidth } from './tile.ts';

/** `entries` names an entry bundle, a number the level of a hash tile. */
export type TilePath = Omit<TileReference, 'level'> & { readonly level: number | 'entries' };

export type TilePathFailure = { readonly code: 'tile_path.malformed' };

// c2sp.org/tlog-tiles: level 0 to 63 without leading zeroes, index in groups of three digits of which all but
// the last begin with x, width 1 to 255 only on a partial tile. Six groups hold every safe integer.
const form =
  /^tile\/(entries|\d|[1-5]\d|6[0-3])\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/([1-9]\d?|1\d\d|2[0-4]\d|25[0-5]))?$/;

/** For example `tile/0/x001/x234/067.p/8`. */
export function formatTilePath({ level, index, width }: TilePath): string {
  const partial = width === tileWidth ? '' : `.p/${width}`;
  return `tile/${level}/${formatIndex(index)}${partial}`;
}

/** The inverse of `formatTilePath`; refuses every spelling but the canonical one. */
export function parseTilePath(path: string): Result<TilePath, TilePathFailure> {
  const match = form.exec(path);
  const [, level = '', groups = '', width] = match ?? [];
  const parsed: TilePath = {
    level: level === 'entries' ? 'entries' : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: width === undefined ? tileWidth : Number(width),
  };
  const isCanonical = match !== null && Number.isSafeInteger(parsed.index) && formatTilePath(parsed) === path;
  return isCanonical ? ok(parsed) : fail({ code: 'tile_path.malformed' });
}

function formatIndex(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, '0');
  return padded.replaceAll(/(\d{3})(?=\d)/g, 'x$1/');
}
