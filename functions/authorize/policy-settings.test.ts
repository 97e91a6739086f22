import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readConfig } from '../../shared/config/index.ts';
import { createBundleSigner } from '../../tests/support/policy-bundle-fixture.ts';
import { configSchema } from './config.ts';
import { toPolicySettings } from './policy-settings.ts';

const signer = createBundleSigner();
let directory: string;
let keysFile: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-settings-'));
  keysFile = join(directory, 'trusted.pem');
  await writeFile(keysFile, signer.publicPem);
});
afterAll(() => rm(directory, { recursive: true }));

const others = {
  DATABASE_URL: 'postgres://localhost/uos',
  WRAPPING_KEY_FILE: '/key',
  ISSUER_URL: 'https://token.example.test',
  AUDIENCE: 'https://api.example.test',
  PUBLIC_URL: 'https://authorize.example.test',
};
const read = (env: Record<string, string>) => readConfig(configSchema, { ...others, ...env });
const settingsOf = (env: Record<string, string>) =>
  toPolicySettings(read(env), (location) => ({
    location,
    fetch: () => Promise.reject(new Error('not asked')),
  }));

describe('the policy settings', () => {
  test('are the built-in bundle, which needs no signature, unless told', async () => {
    const settings = await settingsOf({ POLICY_BUNDLE_TRUSTED_KEYS_FILE: keysFile });
    expect(settings.builtIn.location).toMatch(/^file:.*\/policies\/bundle$/);
    expect([settings.custom, settings.shadow, settings.intervalMs]).toEqual([undefined, undefined, 5_000]);
  });

  test('demand a signature of the trusted keys for the live bundle and the shadow', async () => {
    const { custom, shadow } = await settingsOf({
      POLICY_BUNDLE_URL: 'https://policy.example.test/b.tar.gz',
      POLICY_SHADOW_BUNDLE_URL: 's3://policy/b.tar.gz',
      POLICY_BUNDLE_TRUSTED_KEYS_FILE: keysFile,
      POLICY_BUNDLE_VERSION_MIN: '7',
      POLICY_SHADOW_SAMPLE_RATE: '0.1',
    });
    expect(custom).toMatchObject({ versionMin: 7, allowsRollback: false });
    expect(shadow).toMatchObject({ sampleRate: 0.1, allowsRollback: true });
    for (const bundle of [custom, shadow])
      expect([...(bundle?.trustedKeys?.keys() ?? [])]).toEqual([signer.id]);
  });

  test('let a folder on this machine be served without a signature', async () => {
    expect(
      (await settingsOf({ POLICY_BUNDLE_URL: 'file:///etc/policy' })).custom?.trustedKeys,
    ).toBeUndefined();
  });

  test.each([
    [
      'a remote bundle without trusted keys',
      { POLICY_BUNDLE_URL: 'https://policy.example.test/b.tar.gz' },
      'POLICY_BUNDLE_TRUSTED_KEYS_FILE',
    ],
    [
      'a remote shadow without trusted keys',
      { POLICY_SHADOW_BUNDLE_URL: 's3://policy/b.tar.gz' },
      'POLICY_BUNDLE_TRUSTED_KEYS_FILE',
    ],
    [
      'http from elsewhere',
      { POLICY_BUNDLE_URL: 'http://policy.example.test/b.tar.gz' },
      'POLICY_BUNDLE_URL',
    ],
    [
      'a password in the address',
      { POLICY_BUNDLE_URL: 'https://me:secret@example.test/b' },
      'POLICY_BUNDLE_URL',
    ],
    ['another scheme', { POLICY_SHADOW_BUNDLE_URL: 'ftp://example.test/b' }, 'POLICY_SHADOW_BUNDLE_URL'],
    ['a sample beyond all', { POLICY_SHADOW_SAMPLE_RATE: '1.5' }, 'POLICY_SHADOW_SAMPLE_RATE'],
    ['a flag that is neither', { POLICY_BUNDLE_ALLOW_ROLLBACK: 'yes' }, 'POLICY_BUNDLE_ALLOW_ROLLBACK'],
  ])('refuse %s, naming the variable and never its value', (_what, env, name) => {
    expect(() => read(env)).toThrow(new RegExp(`^((?!secret)[^])*${name}: ((?!secret)[^])*$`));
  });

  test('refuse a file of trusted keys that is none', async () => {
    await writeFile(join(directory, 'empty.pem'), '');
    for (const file of ['empty.pem', 'absent.pem']) {
      const env = { POLICY_BUNDLE_TRUSTED_KEYS_FILE: join(directory, file) };
      await expect(settingsOf(env)).rejects.toThrow();
    }
  });
});
