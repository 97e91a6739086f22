import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemRandom } from '../kernel/index.ts';
import { keyVersionOf, openBox, sealBox } from './sealed-box.ts';

const key = systemRandom.bytes(32);
const seal = (plaintext: Uint8Array, context: string) =>
  sealBox({ key, keyVersion: 7, context, plaintext, random: systemRandom });

describe('a sealed box', () => {
  test('opens to what was sealed, with the same key and context', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.string(), (plaintext, context) => {
        const opened = openBox({ key, context, box: seal(plaintext, context) });
        expect(opened.ok && Buffer.compare(opened.value, plaintext)).toBe(0);
      }),
    );
  });

  test('does not open once any byte has changed', () => {
    const box = seal(Buffer.from('a signing key'), 'row 1');
    for (let place = 0; place < box.length; place++) {
      const changed = Buffer.from(box);
      changed[place] = (changed[place] ?? 0) ^ 1;
      expect(openBox({ key, context: 'row 1', box: changed }).ok).toBe(false);
    }
  });

  // A database writer who swaps two sealed columns must not make one secret serve as another.
  test('does not open in another context', () => {
    expect(openBox({ key, context: 'row 2', box: seal(Buffer.from('x'), 'row 1') }).ok).toBe(false);
  });

  test('says which key version opens it', () => {
    expect(keyVersionOf(seal(Buffer.from('x'), ''))).toEqual({ ok: true, value: 7 });
  });

  test.each([0, 1, 16, 32])('refuses %d bytes that are not a box', (length) => {
    expect(openBox({ key, context: '', box: systemRandom.bytes(length).fill(9) }).ok).toBe(false);
  });
});
