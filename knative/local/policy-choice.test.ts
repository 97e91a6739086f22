import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packPolicyBundle } from '../../shared/policy-bundle/index.ts';
import { bundleFiles, createBundleSigner, signed } from '../../tests/support/policy-bundle-fixture.ts';
import { CommandError, UsageError } from './command-line.ts';
import { choosePolicies, type PolicyChoice } from './policy-choice.ts';

const [signer, stranger] = [createBundleSigner(), createBundleSigner()];
let scratch: string;
const at = (name: string) => join(scratch, name);

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'uos-choice-'));
  const files = await bundleFiles({ version: 1 });
  await writeFile(at('signed.tar.gz'), await packPolicyBundle(signed(files, signer)));
  await writeFile(at('unsigned.tar.gz'), await packPolicyBundle(files));
  await writeFile(at('not-one.tar.gz'), 'hello');
  await writeFile(at('signer.pub'), signer.publicPem);
  await writeFile(at('stranger.pub'), stranger.publicPem);
});
afterAll(() => rm(scratch, { recursive: true }));

const choose = (given: Partial<PolicyChoice>) =>
  choosePolicies({ policy: undefined, shadow: undefined, keys: undefined, ...given });
const refusalOf = (given: Partial<PolicyChoice>) => choose(given).then(undefined, (error: unknown) => error);

describe('policies chosen on the command line', () => {
  test('become the settings that authorize reads in a cluster', async () => {
    const [policy, shadow, keys] = [at('signed.tar.gz'), at('signed.tar.gz'), at('signer.pub')];
    expect(await choose({ policy, shadow, keys })).toEqual({
      'policy-bundle-url': pathToFileURL(policy).href,
      'policy-shadow-bundle-url': pathToFileURL(shadow).href,
      'policy-bundle-trusted-keys-file': keys,
    });
    expect(await choose({})).toEqual({});
  });

  test('may be unsigned while nobody is trusted by name', async () => {
    const policy = pathToFileURL(at('unsigned.tar.gz')).href;
    expect(await choose({ policy })).toEqual({ 'policy-bundle-url': policy });
  });

  test.each([
    [
      'a file that is not there',
      { policy: 'absent.tar.gz' },
      /^--policy: .*absent\.tar\.gz cannot be served/,
    ],
    [
      'a shadow that is not there',
      { shadow: 'absent.tar.gz' },
      /^--shadow: .*absent\.tar\.gz cannot be served/,
    ],
    ['what is no bundle', { policy: 'not-one.tar.gz' }, /^--policy: .* cannot be served/],
    [
      'what nobody trusted signed',
      { policy: 'signed.tar.gz', keys: 'stranger.pub' },
      /policy_bundle\.untrusted/,
    ],
    ['what nobody signed', { shadow: 'unsigned.tar.gz', keys: 'signer.pub' }, /policy_bundle\.unsigned/],
    [
      'keys that are not there',
      { policy: 'signed.tar.gz', keys: 'absent.pub' },
      /^--policy-keys: .*absent\.pub/,
    ],
  ])('are refused, naming the flag, for %s', async (_what, names, message) => {
    const given = Object.fromEntries(Object.entries(names).map(([flag, name]) => [flag, at(name)]));
    const error = await refusalOf(given);
    expect(error).toBeInstanceOf(CommandError);
    expect(error).toHaveProperty('message', expect.stringMatching(message));
  });

  test.each([
    [
      'a URL without trusted keys',
      { policy: 'https://policy.example.test/b.tar.gz' },
      /^--policy-keys is required/,
    ],
    ['another scheme', { shadow: 'ftp://policy.example.test/b.tar.gz' }, /^--shadow must be/],
    ['an address of a bucket', { policy: 's3://policy/b.tar.gz' }, /^--policy takes a file/],
    ['keys for nothing', { keys: 'trusted.pem' }, /^--policy-keys says/],
  ])('are a mistake of usage with %s', async (_what, given, message) => {
    const error = await refusalOf(given);
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toHaveProperty('message', expect.stringMatching(message));
  });
});
