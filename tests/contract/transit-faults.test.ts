import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, isTransientError, systemRandom as random } from '../../shared/kernel/index.ts';
import { KeyWrapperError } from '../../shared/secret/index.ts';
import { createTransitKeyWrapper } from '../../shared/secret/key-wrapper.transit.ts';
import type { TransitServer } from '../../shared/secret/transit-request.ts';
import { fileTransitToken, kubernetesTransitToken } from '../../shared/secret/transit-token.ts';
import { startTransitStub, type TransitStub } from '../support/transit-stub.ts';

let directory: string;
let stub: TransitStub;
let now = 0;
const clock: Clock = { now: () => new Date(now) };
const key = { mount: 'team/transit', name: 'uos' };
const secret = Buffer.from('a data key');
const tokenFile = () => join(directory, 'token');
const server = (change: Partial<TransitServer> = {}): TransitServer => ({
  address: stub.address,
  backoffMs: 1,
  ...change,
});
const open = (change?: Partial<TransitServer>, name = key.name) =>
  createTransitKeyWrapper(
    { server: server(change), token: fileTransitToken(tokenFile()), random },
    { ...key, name },
  );
const openInCluster = (role = 'uos') => {
  const login = { role, mount: 'kubernetes', tokenFile: tokenFile() };
  const token = kubernetesTransitToken(server(), login, { clock, random });
  return createTransitKeyWrapper({ server: server(), token, random }, key);
};
const logins = () => stub.requests.filter((request) => request.includes('/login')).length;
const sealed = { status: 503, body: { errors: ['Vault is sealed'] } };

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-transit-'));
  stub = await startTransitStub(key.mount, [key.name]);
  await writeFile(tokenFile(), 'a-token', { mode: 0o600 });
});
afterEach(async () => {
  await stub.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('while the server cannot serve', () => {
  test.each([307, 412, 429, 472, 473, 500, 502, 503])(
    'tries again after %d, until it can',
    async (status) => {
      stub.faults.push({ ...sealed, status }, { ...sealed, status });
      expect(await open().wrap(secret, 'c')).toMatchObject({ wrappingKeyId: 'transit:team/transit/uos:v1' });
      expect(stub.requests).toHaveLength(3);
    },
  );

  // To take "sealed" for "unreadable" would be to give up every secret at the first outage.
  test('says that it could not ask, never that the bytes are unreadable', async () => {
    const { bytes } = await open().wrap(secret, 'c');
    stub.isSealed = true;
    const refusal = await open()
      .unwrap(bytes, 'c')
      .catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(KeyWrapperError);
    expect(String(refusal)).toContain('503 (Vault is sealed)');
    expect(isTransientError(refusal)).toBe(true);
    stub.isSealed = false;
    expect(await open().unwrap(bytes, 'c')).toMatchObject({ ok: true });
  });

  test('gives up on a server that never answers', async () => {
    stub.faults.push('silent', 'silent', 'silent', 'silent', 'silent');
    await expect(open({ timeoutMs: 20 }).wrap(secret, 'c')).rejects.toThrow('got no answer');
  });

  test('gives up on one that is not there', async () => {
    await stub.stop();
    await expect(open().wrap(secret, 'c')).rejects.toThrow(KeyWrapperError);
  });

  // The redirect's host would receive the token.
  test('follows no redirect', async () => {
    const headers = { location: `${stub.address}/elsewhere` };
    stub.faults.push(...Array.from({ length: 5 }, () => ({ status: 307, headers })));
    await expect(open().wrap(secret, 'c')).rejects.toThrow('307');
    expect(stub.requests.join()).not.toContain('elsewhere');
  });
});

describe('what will not pass is not tried again', () => {
  test('a permission denied', async () => {
    stub.tokens.clear();
    await expect(open().wrap(secret, 'c')).rejects.toThrow('403 (permission denied)');
    expect(stub.requests).toHaveLength(2);
  });

  test('a key that is not there, which says nothing about the bytes', async () => {
    const { bytes } = await open().wrap(secret, 'c');
    await expect(open({}, 'misspelt').unwrap(bytes, 'c')).rejects.toThrow('encryption key not found');
    await expect(open({}, 'misspelt').wrap(secret, 'c')).rejects.toThrow(KeyWrapperError);
  });

  test('a ciphertext of a version below min_decryption_version', async () => {
    const { bytes } = await open().wrap(secret, 'c');
    stub.rotate('uos');
    stub.forbidVersionsBelow('uos', 2);
    expect(await open().unwrap(bytes, 'c')).toMatchObject({
      failure: { code: 'wrapped_key.unreadable', reason: expect.stringContaining('too old') },
    });
  });

  test('an answer that is none of the transit engine', async () => {
    for (const body of ['a page', { data: {} }, { data: { ciphertext: 'plain' } }]) {
      stub.faults.push({ status: 200, body });
      await expect(open().wrap(secret, 'c')).rejects.toThrow(KeyWrapperError);
    }
  });

  test('an endless answer', async () => {
    const body = { data: { ciphertext: 'x'.repeat(100_000) } };
    stub.faults.push(...Array.from({ length: 5 }, () => ({ status: 200, body })));
    await expect(open().wrap(secret, 'c')).rejects.toThrow('got no answer');
  });
});

test('names the namespace where there is one', async () => {
  stub.namespace = 'team/a';
  expect(await open({ namespace: 'team/a' }).wrap(secret, 'c')).toBeDefined();
  await expect(open().wrap(secret, 'c')).rejects.toThrow('404');
});

test('never says its token', async () => {
  stub.tokens.clear();
  const messages = await Promise.all([
    open().wrap(secret, 'c').catch(String),
    openInCluster('wrong').wrap(secret, 'c').catch(String),
  ]);
  for (const message of messages) expect(message).not.toMatch(/a-token|service\.account/);
});

// Threat: what a proxy in between shows of a request that it could not pass on ends in our log.
test('says nothing of what it sent, should the answer repeat it', async () => {
  const token = 'a-token-of-some-length';
  await writeFile(tokenFile(), token, { mode: 0o600 });
  const sent = [token, secret.toString('base64')];
  stub.faults.push({ status: 400, body: { errors: sent } });
  const message = await open().wrap(secret, 'c').catch(String);
  expect(message).toContain('400 ([sent]; [sent])');
});

test('takes a token that its file has held since', async () => {
  const wrapper = open();
  await wrapper.wrap(secret, 'c');
  stub.tokens.clear();
  stub.tokens.add('the-next');
  await writeFile(tokenFile(), 'the-next', { mode: 0o600 });
  expect(await wrapper.wrap(secret, 'c')).toBeDefined();
});

describe('with the identity of its pod', () => {
  beforeEach(() => writeFile(tokenFile(), stub.login.jwt, { mode: 0o600 }));

  test('logs in once for calls that come together', async () => {
    const wrapper = openInCluster();
    await Promise.all([wrapper.wrap(secret, 'c'), wrapper.wrap(secret, 'c'), wrapper.wrap(secret, 'c')]);
    expect(logins()).toBe(1);
  });

  test('logs in again when two thirds of the lease are over, and not before', async () => {
    const wrapper = openInCluster();
    await wrapper.wrap(secret, 'c');
    now += 2_399_000;
    await wrapper.wrap(secret, 'c');
    expect(logins()).toBe(1);
    now += 2_000;
    await wrapper.wrap(secret, 'c');
    expect(logins()).toBe(2);
  });

  test('logs in again when its token has ended early', async () => {
    const wrapper = openInCluster();
    await wrapper.wrap(secret, 'c');
    stub.tokens.clear();
    await wrapper.wrap(secret, 'c');
    expect(logins()).toBe(2);
  });

  test('forgets a failed login', async () => {
    const wrapper = openInCluster();
    await writeFile(tokenFile(), 'expired', { mode: 0o600 });
    await expect(wrapper.wrap(secret, 'c')).rejects.toThrow('403');
    await writeFile(tokenFile(), stub.login.jwt, { mode: 0o600 });
    expect(await wrapper.wrap(secret, 'c')).toBeDefined();
  });
});
