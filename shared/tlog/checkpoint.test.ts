import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from './checkpoint.ts';
import { createNoteSigner, emptyRoot } from './index.ts';
import { signNote } from './note.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const signer = createNoteSigner({ name: 'example.com/behind-the-sofa', privateKey });
// The example of c2sp.org/tlog-checkpoint.
const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n';
const root = Buffer.from('CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', 'base64');
const checkpoint = { origin: 'example.com/behind-the-sofa', size: 20852163, root };

describe('a checkpoint', () => {
  test('has the three lines of the specification example, and reads back', () => {
    expect(formatCheckpoint(checkpoint)).toBe(text);
    expect(parseCheckpoint(text)).toEqual({ ok: true, value: checkpoint });
  });

  test('of an empty log has size 0', () => {
    expect(formatCheckpoint({ ...checkpoint, size: 0, root: emptyRoot() }).split('\n')[1]).toBe('0');
  });

  test('may carry extension lines, which mean nothing', () => {
    expect(parseCheckpoint(`${text}anything\n`)).toEqual({ ok: true, value: checkpoint });
  });

  test('opens with the key of its log', async () => {
    const note = Buffer.from(await signCheckpoint(checkpoint, signer));
    expect(openCheckpoint(note, signer.verifierKey)).toEqual({ ok: true, value: checkpoint });
  });

  // Threat: the same key signs many logs, and the checkpoint of one is shown for another.
  test('of another log does not open, even when signed with the same key', async () => {
    const note = Buffer.from(await signNote(text.replace('sofa', 'door'), [signer]));
    expect(openCheckpoint(note, signer.verifierKey)).toEqual({
      ok: false,
      failure: { code: 'checkpoint.origin_mismatch', origin: 'example.com/behind-the-door' },
    });
  });

  test.each([
    ['a leading zero', text.replace('\n2', '\n02')],
    ['a sign', text.replace('\n2', '\n+2')],
    ['a size beyond 2^53', text.replace('20852163', '9007199254740992')],
    ['a short root', text.replace('CsUY', '')],
    ['sloppy base64', text.replace('q2I=', 'q2J=')],
    ['an empty origin', text.slice('example.com/behind-the-sofa'.length)],
    ['an empty extension line', `${text}\nanything\n`],
    ['a missing line', 'example.com/behind-the-sofa\n20852163\n'],
    ['an unended last line', text.slice(0, -1)],
  ])('is refused with %s', (_what, malformed) => {
    expect(parseCheckpoint(malformed)).toMatchObject({
      ok: false,
      failure: { code: 'checkpoint.malformed' },
    });
  });
});
