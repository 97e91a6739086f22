import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeBundleFiles } from '../../policies/cli/bundle-path.ts';
import { admit, parseTrustedKeys, unpackPolicyBundle } from '../../shared/policy-bundle/index.ts';
import { bundleFiles } from '../support/policy-bundle-fixture.ts';
import { runPolicy } from '../support/policy-command.ts';

let scratch: string;
const at = (name: string) => join(scratch, name);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'uos-bundle-'));
  for (const name of ['first', 'second']) await runPolicy('keygen', '--out', at(name));
});
afterAll(() => rm(scratch, { recursive: true }));

async function publish(name: string, version?: number): Promise<string> {
  await writeBundleFiles(at(name), await bundleFiles(version === undefined ? {} : { version }));
  return at(name);
}

async function trusted(...names: string[]) {
  return parseTrustedKeys(
    (await Promise.all(names.map((name) => readFile(at(`${name}.pub`), 'utf8')))).join(''),
  );
}

async function unpack(path: string) {
  const files = await unpackPolicyBundle(await readFile(path));
  if (!files.ok) throw new Error(files.failure.detail);
  return files.value;
}

describe('keygen', () => {
  test('keeps the private key from others, and never writes over one', async () => {
    expect((await stat(at('first.key'))).mode & 0o777).toBe(0o600);
    const before = await readFile(at('first.key'));
    const again = await runPolicy('keygen', '--out', at('first'));
    expect(again).toMatchObject({ code: 2, complaint: expect.stringContaining('EEXIST') });
    expect(await readFile(at('first.key'))).toEqual(before);
  });
});

describe('sign', () => {
  test('makes a bundle that those who trust the key serve, and no one else', async () => {
    const archive = await publish('one.tar.gz', 4);
    expect(await runPolicy('sign', archive, '--key', at('first.key'))).toMatchObject({
      code: 0,
      out: expect.stringContaining('version 4'),
    });
    const files = await unpack(archive);
    expect(admit(files, await trusted('first')).ok).toBe(true);
    expect(admit(files, await trusted('second'))).toMatchObject({
      failure: { code: 'policy_bundle.untrusted' },
    });
  });

  test('adds a second signature beside the first, so that a key can be replaced', async () => {
    const archive = await publish('two.tar.gz', 4);
    for (const name of ['first', 'second', 'first'])
      expect((await runPolicy('sign', archive, '--key', at(`${name}.key`))).code).toBe(0);
    const files = await unpack(archive);
    for (const name of ['first', 'second']) expect(admit(files, await trusted(name)).ok).toBe(true);
  });

  test('signs a folder too', async () => {
    const folder = await publish('folder', 1);
    expect((await runPolicy('sign', folder, '--key', at('first.key'))).code).toBe(0);
    expect((await stat(join(folder, 'signature.json'))).isFile()).toBe(true);
  });

  test('refuses a bundle without a version, a damaged one, and a key that others may read or is none', async () => {
    const unversioned = await publish('none.tar.gz');
    const damaged = await publish('damaged', 1);
    await writeFile(join(damaged, 'data.json'), '{}');
    await writeFile(at('open.key'), await readFile(at('first.key')), { mode: 0o644 });
    await chmod(at('open.key'), 0o644);
    await writeFile(at('no.key'), 'key', { mode: 0o600 });
    const good = await publish('good.tar.gz', 1);
    for (const [path, key, reason] of [
      [unversioned, 'first.key', 'no version'],
      [damaged, 'first.key', 'data.json'],
      [good, 'open.key', 'open.key'],
      [good, 'no.key', 'no Ed25519'],
      [at('absent.tar.gz'), 'first.key', 'no bundle'],
    ] as const) {
      const { code, complaint } = await runPolicy('sign', path, '--key', at(key));
      expect([code, complaint]).toEqual([2, expect.stringContaining(reason)]);
    }
  });
});

describe('the command', () => {
  test.each([
    [[], 2],
    [['--help'], 0],
    [['replay', '--help'], 0],
    [['destroy'], 2],
    [['sign'], 2],
    [['sign', 'x', '--kye', 'y'], 2],
    [['build', 'x'], 2],
    [['build', 'x', '--out', 'y', '--version', '1.5'], 2],
    [['replay', '--bundle', 'x'], 2],
    [['replay', '--bundle', 'x', '--cases', 'a', '--records', 'b'], 2],
  ])('%j tells how it is used, with %i', async (args, code) => {
    const told = await runPolicy(...args);
    expect(told.code).toBe(code);
    expect(told.out + told.complaint).toMatch(/usage: npm run policy|no policy\/ folder/);
  });
});
