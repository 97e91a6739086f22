import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fail, ok } from '../kernel/index.ts';
import type { GithubKeys } from './github-keys.ts';
import { githubMatchesMax, openGithubAlert } from './open-github-alert.ts';

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const keys: GithubKeys = {
  find: async (identifier) =>
    identifier === 'current' ? ok(publicKey) : fail({ code: 'github_key.unknown' }),
};
const matches = [{ token: 'uos_x', type: 'uos_api_key', url: 'https://github.com/o/r', source: 'commit' }];

function signed(value: unknown = matches) {
  const body = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return { body, identifier: 'current', signature: sign('sha256', body, privateKey).toString('base64') };
}

const outcomeOf = async (alert: Parameters<typeof openGithubAlert>[1]) => {
  const opened = await openGithubAlert(keys, alert);
  return opened.ok ? opened.value : opened.failure.code;
};

describe('an alert of GitHub', () => {
  test('is read when its signature is right', async () => {
    expect(await outcomeOf(signed())).toEqual([{ token: 'uos_x', type: 'uos_api_key' }]);
  });

  // The sample of GitHub's documentation, "Secret scanning partner program", with the key it was signed with.
  test('of the documentation of the partner program is read', async () => {
    const published = createPublicKey(
      '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\nAjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n-----END PUBLIC KEY-----\n',
    );
    const opened = await openGithubAlert(
      { find: async () => ok(published) },
      {
        body: Buffer.from(
          '[{"source":"commit","token":"some_token","type":"some_type","url":"https://example.com/base-repo-url/"}]',
        ),
        identifier: 'bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c',
        signature:
          'MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/AO1RtBY66YcAdjxji410VQV4xg==',
      },
    );
    expect(opened).toEqual(ok([{ token: 'some_token', type: 'some_type' }]));
  });

  test.each([
    ['without an identifier', { identifier: undefined }],
    ['with a key that is not GitHub’s', { identifier: 'other' }],
    ['with an identifier of another form', { identifier: 'a/../b' }],
    ['without a signature', { signature: undefined }],
    ['with a signature that is not Base64', { signature: '%'.repeat(96) }],
    ['with the signature of another body', { signature: signed([{ token: 'a', type: 'b' }]).signature }],
    ['spelled in another way', { body: Buffer.from(JSON.stringify(matches, null, 1)) }],
    ['with a byte more', { body: Buffer.from(`${JSON.stringify(matches)}\n`) }],
    ['that is empty', { body: Buffer.alloc(0) }],
  ])('%s is refused as unsigned', async (_, change) => {
    expect(await outcomeOf({ ...signed(), ...change })).toBe('github_alert.unsigned');
  });

  // The raw form of a signature (IEEE P1363) is another encoding of the same two numbers; GitHub sends DER.
  test('signed in another encoding is refused', async () => {
    const { body, identifier } = signed();
    const raw = sign('sha256', body, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64');
    expect(await outcomeOf({ body, identifier, signature: raw })).toBe('github_alert.unsigned');
  });

  test.each([
    ['no JSON', '[{'],
    ['no list', { token: 'a', type: 'b' }],
    ['an empty list', []],
    ['a match without its text', [{ type: 'b' }]],
    ['a text that is none', [{ token: 1, type: 'b' }]],
    [
      'more matches than are taken',
      Array.from({ length: githubMatchesMax + 1 }, () => ({ token: '', type: '' })),
    ],
  ])('that is signed and holds %s is malformed', async (_, value) => {
    expect(await outcomeOf(signed(value))).toBe('github_alert.malformed');
  });

  test('cannot be judged while the keys cannot be had', async () => {
    const away: GithubKeys = {
      find: async () => fail({ code: 'github_key.unavailable', reason: 'timeout' }),
    };
    expect(await openGithubAlert(away, signed())).toMatchObject({
      failure: { code: 'github_key.unavailable' },
    });
  });
});
