import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { appendLeaves, createNoteSigner, hashLeaf, proveInclusion, signCheckpoint } from './index.ts';
import { formatSpicySignature, formatTlogProof, parseTlogProof, verifyTlogProof } from './tlog-proof.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = createNoteSigner({ name: 'example.com/fancylog', privateKey });
const key = signer.verifierKey;
const entries = Array.from({ length: 300 }, (_, index) => Buffer.from(`{"id":${index}}`));
const tree = appendLeaves({ size: 0, tiles: [], leafHashes: entries.map(hashLeaf) });
const checkpoint = await signCheckpoint(tree, signer);
const hashes = await proveInclusion({
  index: 260,
  size: 300,
  read: ({ level, index }) =>
    tree.changed.find((tile) => tile.level === level && tile.index === index)?.hashes ?? new Uint8Array(0),
});
const text = formatTlogProof({ index: 260, hashes, checkpoint });
const entry = entries[260] ?? Buffer.alloc(0);
const verify = (proof: string, of = entry) => verifyTlogProof({ proof: Buffer.from(proof), entry: of, key });

describe('a tlog proof', () => {
  test('shows offline that the entry is in the signed tree', () => {
    expect(verify(text)).toEqual({
      ok: true,
      value: { origin: 'example.com/fancylog', size: 300, root: Buffer.from(tree.root) },
    });
  });

  test('has the lines of the specification, and reads back', () => {
    const lines = text.split('\n');
    expect(lines.slice(0, 2)).toEqual(['c2sp.org/tlog-proof@v1', 'index 260']);
    expect(lines[2 + hashes.length]).toBe('');
    expect(lines[3 + hashes.length]).toBe('example.com/fancylog');
    expect(parseTlogProof(Buffer.from(text))).toMatchObject({ ok: true, value: { index: 260, checkpoint } });
  });

  test('without its first line is the file that spicy reads', () => {
    expect(`c2sp.org/tlog-proof@v1\n${formatSpicySignature({ index: 260, hashes, checkpoint })}`).toBe(text);
  });

  test('of the only entry has no hashes', async () => {
    const only = appendLeaves({ size: 0, tiles: [], leafHashes: [hashLeaf(entry)] });
    const proof = { index: 0, hashes: [], checkpoint: await signCheckpoint(only, signer) };
    expect(verify(formatTlogProof(proof))).toMatchObject({ ok: true, value: { size: 1 } });
  });

  test('may carry extra data, which is not authenticated and not returned', () => {
    expect(verify(text.replace('\nindex', '\nextra AAEC\nindex'))).toMatchObject({ ok: true });
  });

  test.each([
    ['another header', text.replace('@v1', '@v2'), 'proof.malformed'],
    ['no index', text.replace('index 260\n', ''), 'proof.malformed'],
    ['a leading zero', text.replace('index 260', 'index 0260'), 'proof.malformed'],
    ['extra data that is not base64', text.replace('\nindex', '\nextra ?\nindex'), 'proof.malformed'],
    ['a hash cut short', text.replace(/260\n..../, '260\n'), 'proof.malformed'],
    ['64 hashes', text.replace('260\n', `260\n${'A'.repeat(43)}=\n`.repeat(64)), 'proof.malformed'],
    ['no checkpoint', text.slice(0, text.indexOf('\n\n')), 'proof.malformed'],
    ['nothing', '', 'proof.malformed'],
    ['another index', text.replace('index 260', 'index 261'), 'proof.entry_not_included'],
    ['another size', text.replace('\n300\n', '\n301\n'), 'note.signature_invalid'],
  ])('is refused with %s', (_what, spoiled, code) => {
    expect(verify(spoiled)).toMatchObject({ ok: false, failure: { code } });
  });

  test('does not cover another entry', () => {
    expect(verify(text, entries[261])).toEqual({ ok: false, failure: { code: 'proof.entry_not_included' } });
  });

  test('never holds with one bit changed', () => {
    const bytes = Buffer.from(text);
    const place = fc.tuple(fc.nat({ max: bytes.byteLength - 1 }), fc.nat({ max: 7 }));
    fc.assert(
      fc.property(place, ([at, bit]) => {
        const proof = Buffer.from(bytes);
        proof[at] = (proof[at] ?? 0) ^ (1 << bit);
        expect(verifyTlogProof({ proof, entry, key }).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
