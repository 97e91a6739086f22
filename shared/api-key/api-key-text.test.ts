import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { apiKeyId } from './api-key-id.ts';
import { createApiKeyText, fingerprintOf, parseApiKeyText, parseFingerprint } from './api-key-text.ts';

const create = () => {
  const id = apiKeyId.create({ clock: systemClock, random: systemRandom });
  return { id, text: createApiKeyText(systemRandom, id, { kind: 'pk', environment: 'live' }) };
};

describe('the text of a key', () => {
  it('names its id, whatever its kind', () => {
    const { id, text } = create();
    expect(text).toMatch(/^uos_pk_live_/);
    expect(parseApiKeyText(text)).toEqual({ ok: true, value: { id } });
  });

  it('with any one character changed is malformed', () => {
    const { text } = create();
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(character !== text[at]);
        expect(parseApiKeyText(text.slice(0, at) + character + text.slice(at + 1)).ok).toBe(false);
      }),
    );
  });
});

describe('a fingerprint', () => {
  it('is read as it is shown, or as the id alone', () => {
    const { id, text } = create();
    expect(parseFingerprint(fingerprintOf(id, text.slice(-4)))).toEqual({ id, lastFour: text.slice(-4) });
    expect(parseFingerprint(id)).toEqual({ id });
  });

  it.each(['', 'key_x', '…abcd'])('is not %j', (text) => {
    expect(parseFingerprint(text)).toBeUndefined();
  });

  it('is not one with more or less behind the id', () => {
    const { id } = create();
    for (const tail of ['…', '…abc', '…abcde', '…abcd…', '…ab d'])
      expect(parseFingerprint(id + tail)).toBeUndefined();
  });
});
