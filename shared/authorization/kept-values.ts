import { invariant } from '../kernel/index.ts';

/** What a guest compiled by OPA exports for values in its memory (ABI 1.0); an address of 0 means failure. */
export type ValueExports = {
  opa_heap_ptr_get(): number;
  opa_heap_ptr_set(address: number): void;
  opa_json_parse(address: number, bytes: number): number;
};

export type GuestMemory = {
  readonly exports: ValueExports;
  /** Writes text there, growing the memory for it, and returns its end. */
  write(text: string, address: number): number;
};

/** Values that many questions share, parsed once: for the bindings of a subject this is a quarter of a decision. */
export type KeptValues = {
  /** Where the next question may be written: behind all that is kept. */
  end(): number;
  /**
   * Address of the value, which is parsed when `key` is new. `key` stands for the text: the same object never comes with
   * another. The address holds until the next call. Throws.
   */
  addressOf(key: object, json: string): number;
};

/** Eight bindings take 14 KB. A share of what one instance may grow to, which the last value kept may overrun by itself. */
const keptBytesMax = 8 * 1024 * 1024;

/**
 * Keeps values in the guest's heap from `from` on, one behind the other, until there is no more room; then all are
 * forgotten at once, so that nothing has to be freed.
 */
export function createKeptValues(
  guest: GuestMemory,
  { from, bytesMax = keptBytesMax }: { readonly from: number; readonly bytesMax?: number },
): KeptValues {
  let addresses = new WeakMap<object, number>();
  let end = from;
  return {
    end: () => end,
    addressOf: (key, json) => {
      const known = addresses.get(key);
      if (known !== undefined) return known;
      if (end - from > bytesMax) {
        addresses = new WeakMap();
        end = from;
      }
      const parsed = parseAt(guest, json, end);
      end = parsed.end;
      addresses.set(key, parsed.value);
      return parsed.value;
    },
  };
}

/** Parses JSON into the heap right behind its text; nothing else may be written before `end`. Throws. */
export function parseAt(
  { exports, write }: GuestMemory,
  json: string,
  address: number,
): { readonly value: number; readonly end: number } {
  const textEnd = write(json, address);
  exports.opa_heap_ptr_set(aligned(textEnd));
  const value = exports.opa_json_parse(address, textEnd - address);
  invariant(value !== 0, 'the guest could not read JSON that we wrote');
  return { value, end: aligned(exports.opa_heap_ptr_get()) };
}

function aligned(address: number): number {
  return (address + 7) & ~7;
}
