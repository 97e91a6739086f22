import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { findPostgresHome } from './postgres-home.ts';
import { clearState } from './state.ts';

/** Only root's own directories are closed to the account that PostgreSQL runs as. */
const isRoot = process.getuid?.() === 0;

test('a home that had to be elsewhere goes with the state it belongs to, and is found again until then', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'uos-home-'));
  const state = join(closed, 'state');
  const find = () => findPostgresHome(join(state, 'postgres'));
  const first = await find();
  expect(first.directory === join(state, 'postgres')).toBe(!isRoot);
  expect(await find()).toEqual(first);
  await mkdir(first.directory, { recursive: true });
  await writeFile(join(first.directory, 'data'), '');
  await clearState(state);
  await expect(writeFile(join(first.directory, 'data'), '')).rejects.toThrow('ENOENT');
  const second = await find();
  expect(second.directory === first.directory).toBe(!isRoot);
  await clearState(state);
  await rm(closed, { recursive: true });
});

test('a mark that names another place is not followed: nothing of somebody else is removed', async () => {
  const state = await mkdtemp(join(tmpdir(), 'uos-home-'));
  const theirs = await mkdtemp(join(tmpdir(), 'uos-theirs-'));
  await mkdir(join(state, 'postgres'));
  for (const mark of [theirs, `${dirname(theirs)}/../${theirs}`, '/var/lib/user-org-service/../x'])
    await writeFile(join(state, 'postgres', 'moved-to'), mark);
  await clearState(state);
  await writeFile(join(theirs, 'still-there'), '');
  await rm(theirs, { recursive: true });
});
