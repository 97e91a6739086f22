import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../kernel/index.ts';
import { openFileKeyWrapper } from './key-wrapper.file.ts';

const deps = { random: systemRandom };
const newKey = () => Buffer.from(systemRandom.bytes(32)).toString('base64');
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-key-'));
  path = join(directory, 'key');
  await writeFile(path, newKey(), { mode: 0o600 });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test.each([0o640, 0o604, 0o644, 0o660])(
  'refuses a key file of its own that others can open (mode %o)',
  async (mode) => {
    await chmod(path, mode);
    await expect(openFileKeyWrapper(deps, path)).rejects.toThrow(`mode ${mode.toString(8)}`);
  },
);

test('refuses a key of the wrong length, without showing it', async () => {
  const short = Buffer.from('too short').toString('base64');
  await writeFile(path, short);
  const said = await openFileKeyWrapper(deps, path).catch(String);
  expect(said).toContain('holds 9 bytes');
  expect(said).not.toContain(short);
});

// Node's decoder skips foreign characters: a damaged line would silently be another key.
test('refuses a line that is not base64', async () => {
  await writeFile(path, `*${newKey()}`);
  await expect(openFileKeyWrapper(deps, path)).rejects.toThrow('not base64');
});

test.each([
  ['none', ''],
  ['too many', Array.from({ length: 17 }, newKey).join('\n')],
])('refuses a file with %s', async (_name, text) => {
  await writeFile(path, text);
  await expect(openFileKeyWrapper(deps, path)).rejects.toThrow('Key file');
});

test('does not unwrap with a key that was taken out', async () => {
  const { bytes } = await (await openFileKeyWrapper(deps, path)).wrap(Buffer.from('x'), 'c');
  await writeFile(path, newKey());
  expect(await (await openFileKeyWrapper(deps, path)).unwrap(bytes, 'c')).toMatchObject({
    failure: { code: 'wrapped_key.unreadable' },
  });
});
