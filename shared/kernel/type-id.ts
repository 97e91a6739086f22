import type { Brand } from './brand.ts';
import type { Clock } from './clock.ts';
import { invariant } from './invariant.ts';
import type { Random } from './random.ts';

/**
 * TypeID 0.3: `<prefix>_<26 characters>`, the suffix being a UUIDv7 (RFC 9562 section 5.7) in lower-case
 * Crockford base32. Ids therefore sort by creation time to the millisecond and say what they name.
 */
export type TypeId<Prefix extends string> = Brand<`${Prefix}_${string}`, Prefix>;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
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
      const value = `${head}${toBase32(uuidV7(clock.now(), random.bytes(10)))}`;
      invariant(is(value), `generated id ${value} does not have its own form`);
      return value;
    },
    require: (value) => {
      invariant(is(value), `"${value}" is not a ${prefix} id`);
      return value;
    },
  };
}

function uuidV7(now: Date, random: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(now.getTime()) << 16n);
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes;
}

/** From the last bit up, five at a time; 26 digits hold 130 bits, so the first is at most 7. No BigInt: it costs 5 us. */
function toBase32(bytes: Uint8Array): string {
  let text = '';
  let pending = 0;
  let bits = 0;
  for (let place = bytes.length - 1; place >= 0; place--) {
    pending |= (bytes[place] ?? 0) << bits;
    for (bits += 8; bits >= 5; bits -= 5) {
      text = alphabet.charAt(pending & 31) + text;
      pending >>>= 5;
    }
  }
  return alphabet.charAt(pending & 31) + text;
}
