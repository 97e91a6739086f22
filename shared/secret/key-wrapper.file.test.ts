import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemRandom } from '../kernel/index.ts';
import { openFileKeyWrapper } from './key-wrapper.file.ts';

const deps = { random: systemRandom };
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-key-'));
  path = join(directory, 'key');
  await writeFile(path, Buffer.from(systemRandom.bytes(32)).toString('base64'), { mode: 0o600 });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('unwraps what it wrapped, in the same context alone', async () => {
  const wrapper = await openFileKeyWrapper(deps, path);
  const wrapped = await wrapper.wrap(Buffer.from('a data key'), 'signing-key:1');
  expect(Buffer.from(await wrapper.unwrap(wrapped, 'signing-key:1')).toString()).toBe('a data key');
  await expect(wrapper.unwrap(wrapped, 'signing-key:2')).rejects.toThrow('does not unwrap');
});

test.each([0o640, 0o604, 0o644, 0o660])(
  'refuses a key file of its own that others can open (mode %o)',
  async (mode) => {
    await chmod(path, mode);
    await expect(openFileKeyWrapper(deps, path)).rejects.toThrow(`mode ${mode.toString(8)}`);
  },
);

test('refuses a key of the wrong length, without showing it', async () => {
  await writeFile(path, Buffer.from('too short').toString('base64'));
  await expect(openFileKeyWrapper(deps, path)).rejects.toThrow('holds 9 bytes');
});

test('another key does not unwrap', async () => {
  const wrapped = await (await openFileKeyWrapper(deps, path)).wrap(Buffer.from('x'), 'c');
  await writeFile(path, Buffer.from(systemRandom.bytes(32)).toString('base64'));
  await expect((await openFileKeyWrapper(deps, path)).unwrap(wrapped, 'c')).rejects.toThrow(
    'does not unwrap',
  );
});
