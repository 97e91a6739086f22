import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockState } from './state-lock.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('lets one platform at a time use a directory', async () => {
  const release = await lockState(directory);
  await expect(lockState(directory)).rejects.toThrow(`process ${process.pid}`);
  await release();
  await (await lockState(directory))();
});

test('takes over a lock whose holder was killed', async () => {
  // Above the largest process id that Linux gives.
  await writeFile(join(directory, 'lock'), '4194305');
  await (await lockState(directory))();
});
