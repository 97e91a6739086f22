import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createNoteSigner, formatVerifierKey, parseVerifierKey } from './index.ts';
import { openNote, parseNote, signNote } from './note.ts';

// The example of golang.org/x/mod/sumdb/note, from which the specification was written.
const vkey = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const seed = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const text =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const signature =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const note = `${text}\n${signature}`;

const privateKey = createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
  format: 'der',
  type: 'pkcs8',
});
const peter = createNoteSigner({ name: 'PeterNeumann', privateKey });
const other = createNoteSigner({
  name: 'example.com/other',
  privateKey: generateKeyPairSync('ed25519').privateKey,
});
const open = (value: string) => openNote(Buffer.from(value), [peter.verifierKey]);

describe('a verifier key', () => {
  test('has the text form of the Go example, and reads back', () => {
    expect(formatVerifierKey(peter.verifierKey)).toBe(vkey);
    const parsed = parseVerifierKey(`${vkey}\n`);
    expect(parsed.ok && formatVerifierKey(parsed.value)).toBe(vkey);
  });

  test.each([
    ['another name', vkey.replace('Peter', 'Petra')],
    ['another key id', vkey.replace('c74f20a3', 'c74f20a4')],
    ['a key cut short', `${vkey.slice(0, -4)}`],
    ['another signature type', vkey.replace('+ARp', '+Ahp')],
    ['sloppy base64', `${vkey}=`],
    ['a name with a space', vkey.replace('PeterN', 'Peter N')],
    ['nothing', ''],
  ])('is refused with %s', (_what, malformed) => {
    expect(parseVerifierKey(malformed)).toMatchObject({
      ok: false,
      failure: { code: 'verifier_key.malformed' },
    });
  });
});

describe('a signed note', () => {
  test('is byte for byte the Go example', async () => {
    expect(await signNote(text, [peter])).toBe(note);
    expect(open(note)).toEqual({ ok: true, value: text });
  });

  test('takes apart the example of the specification', () => {
    const quasimodo =
      'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
      '— quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n';
    const parsed = parseNote(Buffer.from(quasimodo));
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        text: 'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n',
        signatures: [{ name: 'quasimodo.example/salvatore', keyId: '367ba04b' }],
      },
    });
  });

  test('opens among signatures by keys we do not know', async () => {
    expect(open(await signNote(text, [other, peter, other]))).toEqual({ ok: true, value: text });
  });

  test('does not open on the word of an unknown key alone', async () => {
    expect(open(await signNote(text, [other]))).toEqual({
      ok: false,
      failure: { code: 'note.signer_unknown' },
    });
  });

  test('is spoiled by one bad signature of a known key beside a good one', () => {
    const bad = signature.replace('x08go/Z', 'x08go/a');
    expect(open(note + bad)).toEqual({ ok: false, failure: { code: 'note.signature_invalid' } });
  });

  test.each([
    ['changed text', note.replace('answer', 'question'), 'note.signature_invalid'],
    ['a signature under another name', note.replace('— Peter', '— Petra'), 'note.signer_unknown'],
    ['no signature', `${text}\n`, 'note.malformed'],
    ['no empty line', text + signature, 'note.malformed'],
    ['no end of line', note.slice(0, -1), 'note.malformed'],
    ['a carriage return', note.replace('\n', '\r\n'), 'note.malformed'],
    ['a hyphen for the dash', note.replace('—', '-'), 'note.malformed'],
    ['stray bits in the base64', note.replace('nAM=', 'nAN='), 'note.malformed'],
    ['nothing', '', 'note.malformed'],
    ['too many signatures', note + signature.repeat(64), 'note.malformed'],
    ['too many bytes', `${'a'.repeat(300_000)}\n${note}`, 'note.malformed'],
  ])('is refused with %s', (_what, spoiled, code) => {
    expect(open(spoiled)).toMatchObject({ ok: false, failure: { code } });
  });

  test('that is not UTF-8 is refused', () => {
    const bytes = Buffer.concat([Buffer.of(0xff), Buffer.from(note)]);
    expect(openNote(bytes, [peter.verifierKey])).toMatchObject({
      ok: false,
      failure: { code: 'note.malformed' },
    });
  });

  test('never opens with one bit changed', () => {
    const bytes = Buffer.from(note);
    const place = fc.tuple(fc.nat({ max: bytes.byteLength - 1 }), fc.nat({ max: 7 }));
    fc.assert(
      fc.property(place, ([at, bit]) => {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(openNote(changed, [peter.verifierKey]).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
