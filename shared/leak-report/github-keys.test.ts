import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fail, ok } from '../kernel/index.ts';
import type { FetchRemoteJson } from '../remote-jwks/index.ts';
import { createGithubKeys } from './github-keys.ts';

const toPem = (curve: string) =>
  generateKeyPairSync('ec', { namedCurve: curve })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
const pem = toPem('P-256');

function listOf(...identifiers: string[]) {
  return {
    public_keys: identifiers.map((key_identifier) => ({ key_identifier, key: pem, is_current: true })),
  };
}

function setUp(list: unknown) {
  const state = { ms: 1_800_000_000_000, fetches: 0, list, isDown: false };
  const fetchJson: FetchRemoteJson = async () => {
    state.fetches += 1;
    return state.isDown
      ? fail({ code: 'remote_json.unavailable', reason: 'timeout' })
      : ok({ value: state.list, maxAgeSeconds: undefined });
  };
  const clock = { now: () => new Date(state.ms) };
  const keys = createGithubKeys({ fetchJson, url: 'https://keys.test', clock });
  const codeOf = async (identifier: string) => {
    const found = await keys.find(identifier);
    return found.ok ? 'found' : found.failure.code;
  };
  return { state, keys, codeOf };
}

describe('the keys of GitHub', () => {
  test('are fetched once for as long as they are fresh, however many ask at once', async () => {
    const { state, codeOf } = setUp(listOf('a', 'b'));
    expect(await Promise.all(['a', 'b', 'a'].map(codeOf))).toEqual(['found', 'found', 'found']);
    state.ms += 3_599_000;
    expect(await codeOf('b')).toBe('found');
    expect(state.fetches).toBe(1);
    state.ms += 2_000;
    expect(await codeOf('a')).toBe('found');
    expect(state.fetches).toBe(2);
  });

  // Threat: whoever names a new key with each request makes us spend GitHub's patience with us.
  test('are not fetched more than once a minute for names that are not among them', async () => {
    const { state, codeOf } = setUp(listOf('a'));
    for (let n = 0; n < 100; n++) expect(await codeOf(`unknown-${n}`)).toBe('github_key.unknown');
    expect(state.fetches).toBe(1);
    state.ms += 60_000;
    for (let n = 0; n < 100; n++) await codeOf(`unknown-${n}`);
    expect(state.fetches).toBe(2);
  });

  test('are fetched for a name that is new, so that a rotation is noticed within a minute', async () => {
    const { state, codeOf } = setUp(listOf('a'));
    await codeOf('a');
    state.list = listOf('a', 'b');
    state.ms += 60_000;
    expect([await codeOf('b'), state.fetches]).toEqual(['found', 2]);
  });

  test('that cannot be had are called unavailable, never unknown, and tried again after a while', async () => {
    const { state, codeOf } = setUp(listOf('a'));
    state.isDown = true;
    for (let n = 0; n < 10; n++) expect(await codeOf('a')).toBe('github_key.unavailable');
    expect(state.fetches).toBe(1);
    state.isDown = false;
    state.ms += 10_000;
    expect(await codeOf('a')).toBe('found');
  });

  test('go on being believed for a day while no newer ones can be had, and no longer', async () => {
    const { state, codeOf } = setUp(listOf('a'));
    await codeOf('a');
    state.isDown = true;
    state.ms += 23 * 3_600_000;
    expect([await codeOf('a'), await codeOf('b')]).toEqual(['found', 'github_key.unavailable']);
    state.ms += 3_600_000;
    expect(await codeOf('a')).toBe('github_key.unavailable');
  });

  test.each([
    [
      'of another curve',
      { public_keys: [{ key_identifier: 'a', key: toPem('secp256k1') }] },
      'github_key.unknown',
    ],
    ['that is no key', { public_keys: [{ key_identifier: 'a', key: 'PEM' }] }, 'github_key.unknown'],
    ['in a document of another form', { keys: [] }, 'github_key.unavailable'],
    [
      'in a list without end',
      listOf(...Array.from({ length: 101 }, (_, n) => `k${n}`)),
      'github_key.unavailable',
    ],
  ])('leave out one %s', async (_, list, code) => {
    expect(await setUp(list).codeOf('a')).toBe(code);
  });
});
