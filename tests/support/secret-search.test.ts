import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createSecretSearch, encodingsOf, fragmentMin } from './secret-search.ts';

const text = Buffer.from(randomBytes(32).toString('base64url'));
const binary = Buffer.concat([Buffer.from([0xff, 0x00]), randomBytes(30)]);
const search = createSecretSearch([
  { name: 'text', bytes: text },
  { name: 'binary', bytes: binary },
]);
const around = (bytes: Buffer) => Buffer.concat([randomBytes(1000), bytes, randomBytes(1000)]);

describe('a search for secrets', () => {
  test.each(Object.keys(encodingsOf(text)))('finds a text written as %s, and half of it', (encoding) => {
    const encoded = encodingsOf(text)[encoding] ?? Buffer.alloc(0);
    for (const part of [
      encoded,
      encoded.subarray(0, encoded.length / 2),
      encoded.subarray(encoded.length / 2),
    ])
      expect(search(around(part)).map(({ secret }) => secret)).toContain('text');
  });

  test.each(Object.keys(encodingsOf(binary)))('finds bytes written as %s', (encoding) => {
    const encoded = encodingsOf(binary)[encoding] ?? Buffer.alloc(0);
    expect(search(around(encoded)).map(({ secret }) => secret)).toContain('binary');
  });

  test.each([0, 1, 2, 3, 4])(
    'finds it in the base64 of something longer, with %d bytes before it',
    (count) => {
      const longer = Buffer.concat([randomBytes(count), text, randomBytes(5)]);
      for (const encoding of ['base64', 'base64url'] as const)
        expect(search(Buffer.from(longer.toString(encoding))).length).toBeGreaterThan(0);
    },
  );

  test('finds sixteen characters of it, wherever they stand, and not fifteen', () => {
    for (let start = 0; start + fragmentMin <= text.length; start++) {
      const haystack = (length: number) =>
        Buffer.concat([
          Buffer.alloc(start, ' '),
          text.subarray(start, start + length),
          Buffer.alloc(20, ' '),
        ]);
      expect(search(haystack(fragmentMin)).length, `from ${start}`).toBeGreaterThan(0);
      expect(search(haystack(fragmentMin - 1)), `from ${start}`).toEqual([]);
    }
  });

  test('finds nothing in what is not it', () => {
    expect(search(randomBytes(1_000_000))).toEqual([]);
    expect(search(Buffer.from(randomBytes(1_000_000).toString('hex')))).toEqual([]);
  });
});
