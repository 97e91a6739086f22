import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLogSigningKey } from './log-signing-key.file.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-key-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function keyFile(text: string, mode = 0o600): Promise<string> {
  const path = join(directory, 'key');
  await rm(path, { force: true });
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const pem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }));
const seed = Buffer.from(String(privateKey.export({ format: 'jwk' }).d), 'base64url').toString('base64');

test.each([
  ['PEM', pem],
  ['a seed', `${seed}\n`],
])('reads the same key from %s', async (_form, text) => {
  const key = await readLogSigningKey(await keyFile(text));
  expect(createPublicKey(key).equals(publicKey)).toBe(true);
});

// Threat: whoever reads the key can sign another past.
test.each([0o640, 0o604, 0o620, 0o666])('refuses a file of mode %o', async (mode) => {
  await expect(readLogSigningKey(await keyFile(pem, mode))).rejects.toThrow('only its owner may read it');
});

test.each([
  [
    'another kind of key',
    String(generateKeyPairSync('ed448').privateKey.export({ type: 'pkcs8', format: 'pem' })),
  ],
  ['a short seed', Buffer.alloc(31).toString('base64')],
  ['a broken PEM', pem.slice(0, 60)],
  ['nothing', ''],
])('refuses %s, without repeating it', async (_what, text) => {
  const refusal = await readLogSigningKey(await keyFile(text)).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ message: expect.stringContaining('neither an Ed25519 key') });
  if (text !== '') expect(JSON.stringify([refusal, String(refusal)])).not.toContain(text.slice(0, 40));
});
