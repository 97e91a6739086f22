import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createTokenFunction, type TokenFunction } from '../../functions/token/create-token-function.ts';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { listen } from '../../shared/db/index.ts';
import { createFunctionServer, type Served, serve } from '../../shared/http/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import {
  openSigningKeySet,
  revokeSigningKey,
  rotateSigningKeys,
  type SigningAlgorithm,
  signingAlgorithms,
  signingKeyChannel,
} from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { verifyAccessToken } from '../../shared/token/index.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import { openTokenParts } from '../support/token-parts.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

const audience = 'urn:uos:test';
const issuer = 'https://token.example.test';
const maxAge = 30;

let fixture: SigningKeyFixture;
let key: IssuedApiKey;
let account: string;
const noted: string[] = [];

const tokenResponse = z.object({ access_token: z.string(), token_type: z.literal('Bearer') });
const keySet = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string() })),
});

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  const acme = await seedOrganization(fixture.pool, { serviceAccounts: ['ci'] });
  account = acme.idOf('ci');
  key = await fixture.apiKeys.issue(acme, 'ci');
  const policy = { ...fixture.rotation.policy, algorithms: signingAlgorithms };
  expect(await rotateSigningKeys({ ...fixture.rotation, policy })).toMatchObject({ ok: true });
});

afterAll(() => fixture.close());

async function openToken(signingAlgorithm: SigningAlgorithm): Promise<TokenFunction> {
  return createTokenFunction({
    ...(await openTokenParts(fixture, clock)),
    issuer,
    audience,
    apiKeyUses: { note: (_organizationId, keyId) => void noted.push(keyId) },
    signingAlgorithm,
    jwksMaxAgeSeconds: maxAge,
  });
}

describe.each(signingAlgorithms)('an issuer that is told to sign by %s', (signingAlgorithm) => {
  let token: TokenFunction;
  let served: Served;
  let closeFeed: () => Promise<void>;
  const url = (path: string) => `http://127.0.0.1:${served.port}${path}`;

  beforeAll(async () => {
    token = await openToken(signingAlgorithm);
    closeFeed = listen({
      url: fixture.database.appUrl,
      applicationName: `test-token-${signingAlgorithm}`,
      channels: [signingKeyChannel],
      clock,
      onNotification: token.keysChanged,
      onConnected: token.keysChanged,
    }).close;
    served = await serve(
      silentLogger,
      createFunctionServer(
        { clock, random, logger: silentLogger },
        { name: `token-${signingAlgorithm}`, listener: token.listener, isReady: token.isReady },
      ),
      { port: 0, host: '127.0.0.1' },
    );
  });
  afterAll(async () => {
    await served.close();
    await token.close();
    await closeFeed();
  });

  async function requireToken(): Promise<string> {
    const answer = await fetch(url('/token'), {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: account,
        client_secret: key.text,
      }),
    });
    const body = tokenResponse.parse(await answer.json());
    expect(answer.status).toBe(200);
    return body.access_token;
  }
  const readJwks = async () => keySet.parse(await (await fetch(url('/jwks'))).json());
  const ownVerdict = (jwt: string) =>
    verifyAccessToken(
      {
        keys: openSigningKeySet({ pool: fixture.pool, store: postgresSigningKeyStore, clock }),
        issuer,
        audience,
        clock,
      },
      jwt,
    );

  test('becomes ready', async () => {
    const status = async () => (await fetch(url('/health/ready'))).status;
    await expect.poll(status, { timeout: 10_000 }).toBe(200);
  });

  test('does so, and both our verifier and one that knows only the key set accept it', async () => {
    const jwt = await requireToken();
    expect(decodeProtectedHeader(jwt)).toEqual({
      alg: signingAlgorithm,
      typ: 'at+jwt',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(decodeJwt(jwt)['iss']).toBe(issuer);
    expect(await ownVerdict(jwt)).toMatchObject({ ok: true });
    const known = createLocalJWKSet(await readJwks());
    const verified = await jwtVerify(jwt, known, { issuer, audience, typ: 'at+jwt' });
    expect(verified.payload.sub).toBe(account);
  });

  test('notes that the key was used', async () => {
    noted.length = 0;
    await requireToken();
    expect(noted).toEqual([key.key.id]);
  });

  test('shows the keys of both algorithms, by their public members alone', async () => {
    const { keys } = await readJwks();
    expect(keys.map(({ alg }) => alg).sort()).toEqual(['ES256', 'EdDSA']);
    for (const { kty, ...jwk } of keys) {
      const coordinates = kty === 'EC' ? ['x', 'y'] : ['x'];
      expect(Object.keys(jwk).sort()).toEqual(['alg', 'crv', 'kid', 'use', ...coordinates]);
    }
  });

  test('lets caches keep the set for less than the lead, and spares them what they have', async () => {
    const first = await fetch(url('/jwks'));
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toBe(`public, max-age=${maxAge}, must-revalidate`);
    expect(maxAge).toBeLessThan(fixture.rotation.policy.publishLeadSeconds);
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await fetch(url('/jwks'), { headers: { 'if-none-match': tags } });
      expect([tags, again.status, await again.text()]).toEqual([tags, 304, '']);
      expect(again.headers.get('etag')).toBe(etag);
      expect(again.headers.get('cache-control')).toBe(first.headers.get('cache-control'));
    }
    const other = await fetch(url('/jwks'), { headers: { 'if-none-match': '"other"' } });
    expect(other.status).toBe(200);
  });

  test('whose key is revoked shows it no more, signs with another, and its old tokens are refused', async () => {
    const old = await requireToken();
    const leaked = decodeProtectedHeader(old).kid ?? '';
    const etag = (await fetch(url('/jwks'))).headers.get('etag') ?? '';
    const revoked = await revokeSigningKey(fixture.rotation, {
      keyId: leaked,
      actor: { type: 'user', id: 'usr_operator' },
    });
    expect(revoked.ok).toBe(true);
    const kids = async () => (await readJwks()).keys.map(({ kid }) => kid);
    await expect.poll(kids, { timeout: 10_000, interval: 10 }).not.toContain(leaked);
    const fresh = await requireToken();
    expect(await kids()).toContain(decodeProtectedHeader(fresh).kid);
    expect(decodeProtectedHeader(fresh).alg).toBe(signingAlgorithm);
    expect(await ownVerdict(fresh)).toMatchObject({ ok: true });
    expect(await ownVerdict(old)).toMatchObject({ ok: false, failure: { reason: 'unknown_key' } });
    const stale = await fetch(url('/jwks'), { headers: { 'if-none-match': etag } });
    expect(stale.status).toBe(200);
  });
});

test('without a key of its algorithm an issuer is not ready: the revision before it goes on', async () => {
  await fixture.sql(`delete from signing_key where algorithm = 'EdDSA'`);
  const token = await openToken('EdDSA');
  await token.close();
  expect(token.isReady()).toBe(false);
});
