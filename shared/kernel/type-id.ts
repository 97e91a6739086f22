import type { Brand } from './brand.ts';
import type { Clock } from './clock.ts';
import { invariant } from './invariant.ts';
import type { Random } from './random.ts';

/**
 * TypeID 0.3: `<prefix>_<26 characters>`, the suffix being a UUIDv7 (RFC 9562 section 5.7) in lower-case
 * Crockford base32. Ids therefore sort by creation time to the millisecond and say what they name.
 */
export type TypeId<Prefix extends string> = Brand<`${Prefix}_${string}`, Prefix>;

const alphabet = [...'0123456789abcdefghjkmnpqrstvwxyz'];
const digitPairs = alphabet.flatMap((first) => alphabet.map((second) => first + second));
const suffix = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

export type TypeIdKind<Prefix extends string> = {
  readonly prefix: Prefix;
  create(deps: { clock: Clock; random: Random }): TypeId<Prefix>;
  is(value: unknown): value is TypeId<Prefix>;
  /** For values that are already known to be ours (database rows); throws `InvariantError` otherwise. */
  require(value: string): TypeId<Prefix>;
};

export function typeId<const Prefix extends string>(prefix: Prefix): TypeIdKind<Prefix> {
  const head = `${prefix}_`;
  const is = (value: unknown): value is TypeId<Prefix> =>
    typeof value === 'string' && value.startsWith(head) && suffix.test(value.slice(head.length));
  return {
    prefix,
    is,
    create: ({ clock, random }) => {
      const value = head + uuidV7(clock.now().getTime(), random.bytes(10));
      invariant(is(value), `generated id ${value} does not have its own form`);
      return value;
    },
    require: (value) => {
      invariant(is(value), `"${value}" is not a ${prefix} id`);
      return value;
    },
  };
}

/**
 * A UUIDv7 in base32: 2 bits of padding and the 48 of the time make the first 10 digits, version, variant and 74
 * random bits the other 16. Two digits at a time, and no BigInt, which costs 5 us: every request has an id.
 */
function uuidV7(milliseconds: number, random: Uint8Array): string {
  const high = Math.floor(milliseconds / 2 ** 20);
  const low = milliseconds % 2 ** 20;
  const at = (place: number) => random[place] ?? 0;
  return (
    fourDigits(Math.floor(high / 2 ** 10)) +
    twoDigits(high) +
    fourDigits(low) +
    eightDigits((at(0) & 0x0f) | 0x70, at(1), (at(2) & 0x3f) | 0x80, at(3), at(4)) +
    eightDigits(at(5), at(6), at(7), at(8), at(9))
  );
}

/** Of five bytes. */
function eightDigits(a: number, b: number, c: number, d: number, e: number): string {
  return fourDigits((a << 12) | (b << 4) | (c >> 4)) + fourDigits(((c & 0x0f) << 16) | (d << 8) | e);
}

function fourDigits(value: number): string {
  return twoDigits(value >> 10) + twoDigits(value);
}

/** Of the lowest 10 bits. */
function twoDigits(value: number): string {
  return digitPairs[value & 1023] ?? '';
}
