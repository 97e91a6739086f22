import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readSecretFile, refusalOf } from './secret-file.ts';

let directory: string;
const path = (name: string) => join(directory, name);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-secret-'));
  await writeFile(path('secret'), ' a secret\n', { mode: 0o600 });
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('a secret file', () => {
  test('is read without the white space at its ends', async () => {
    expect(await readSecretFile(path('secret'))).toBe('a secret');
  });

  // A Kubernetes volume is links all the way: key -> ..data/key, ..data -> ..2026_11_22.
  test('may be reached by a link, and is then judged by what the link reaches', async () => {
    await symlink('secret', path('link'));
    expect(await readSecretFile(path('link'))).toBe('a secret');
    await writeFile(path('open'), 'x', { mode: 0o644 });
    await symlink('open', path('bad-link'));
    await expect(readSecretFile(path('bad-link'))).rejects.toThrow('mode 644');
  });

  test('is refused when it is a directory or a pipe, which would never end', async () => {
    execFileSync('mkfifo', ['-m', '600', path('pipe')]);
    for (const name of ['.', 'pipe'])
      await expect(readSecretFile(path(name))).rejects.toThrow('not a regular file');
  });

  test('is refused when it is far larger than any secret', async () => {
    await truncate(path('secret'), 70_000);
    await expect(readSecretFile(path('secret'))).rejects.toThrow('exceeds');
  });

  const ours = 65_532;
  test.each([
    ['ours, ours alone', ours, 0o600, undefined],
    ['ours, read-only', ours, 0o400, undefined],
    ['ours, readable by the group', ours, 0o640, 'mode 640'],
    ['of root, readable by our group', 0, 0o440, undefined],
    ['of root, writable by the group', 0, 0o460, 'mode 460'],
    ['of root, readable by the world', 0, 0o444, 'mode 444'],
    ['of somebody else, however closed', 1000, 0o600, 'belongs to user 1000'],
  ])('%s', (_name, uid, mode, refusal) => {
    const said = refusalOf({ uid, mode }, ours);
    if (refusal === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(refusal);
  });
});
