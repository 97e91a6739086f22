import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEntryBundle, encodeEntryBundle, entryBytesMax } from './index.ts';

describe('an entry bundle', () => {
  test('is each entry behind its length as a big-endian uint16', () => {
    const bundle = encodeEntryBundle([Buffer.from('ab'), new Uint8Array(0), Buffer.alloc(258, 'c')]);
    expect(bundle).toEqual({
      ok: true,
      value: Buffer.concat([Buffer.from([0, 2, 97, 98, 0, 0, 1, 2]), Buffer.alloc(258, 'c')]),
    });
  });

  test('gives back the entries it was made of', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 700 }), { minLength: 1, maxLength: 256 });
    fc.assert(
      fc.property(entries, (list) => {
        const bundle = encodeEntryBundle(list);
        const decoded = bundle.ok ? decodeEntryBundle(bundle.value, list.length) : undefined;
        expect(decoded?.ok && decoded.value.map((entry) => [...entry])).toEqual(
          list.map((entry) => [...entry]),
        );
      }),
      { numRuns: 50 },
    );
  });

  test('takes an entry of exactly 60 KiB', () => {
    expect(encodeEntryBundle([Buffer.alloc(entryBytesMax)])).toMatchObject({ ok: true });
  });

  test('refuses an entry one byte over 60 KiB, and says which', () => {
    expect(encodeEntryBundle([Buffer.from('a'), Buffer.alloc(entryBytesMax + 1)])).toEqual({
      ok: false,
      failure: { code: 'entry.too_large', position: 1, bytes: 61_441, bytesMax: 61_440 },
    });
  });

  test('reads entries up to the 65,535 bytes of the format, whoever wrote them', () => {
    const bundle = Buffer.concat([Buffer.from([0xff, 0xff]), Buffer.alloc(65_535)]);
    expect(decodeEntryBundle(bundle, 1)).toMatchObject({ ok: true });
  });

  test.each([
    ['a length cut in half', [0, 1, 97, 0], 2, 1],
    ['an entry cut short', [0, 1, 97, 0, 5, 98], 2, 1],
    ['too few entries', [0, 1, 97], 2, 1],
    ['bytes after the last entry', [0, 1, 97, 0], 1, 1],
  ])('refuses %s', (_what, bytes, width, entriesRead) => {
    const decoded = decodeEntryBundle(Uint8Array.from(bytes), width);
    expect(decoded).toMatchObject({ ok: false, failure: { code: 'bundle.malformed' } });
    expect(!decoded.ok && decoded.failure.entriesRead).toHaveLength(entriesRead);
  });

  test('never throws, whatever the bytes', () => {
    const width = fc.integer({ min: 1, max: 256 });
    fc.assert(fc.property(fc.uint8Array(), width, (bytes, count) => void decodeEntryBundle(bytes, count)));
  });
});
