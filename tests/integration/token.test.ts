import { randomUUID } from 'node:crypto';
import { get } from 'node:http';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTokenFunction, type TokenFunction } from '../../functions/token/create-token-function.ts';
import { bodyBytesMax } from '../../functions/token/handler.ts';
import { type IssuedApiKey, revokeApiKey } from '../../shared/api-key/index.ts';
import { listen } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import { createFunctionServer, type Served, serve } from '../../shared/http/index.ts';
import { type Clock, secondsAfter, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import {
  openSigningKeySet,
  requestRotation,
  rotateSigningKeys,
  signingKeyChannel,
} from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { verifyAccessToken } from '../../shared/token/index.ts';
import { issueScopedKey } from '../support/scoped-api-key.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';
import { openTokenParts } from '../support/token-parts.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

const audience = 'urn:uos:test';
const random = systemRandom;

/** Real time, which the OAuth library reads itself, moved forward by what a test asks for. */
const time = { offsetSeconds: 0 };
const clock: Clock = { now: () => secondsAfter(systemClock.now(), time.offsetSeconds) };

let fixture: SigningKeyFixture;
let acme: SeededOrganization;
let other: SeededOrganization;
let key: IssuedApiKey;
let token: TokenFunction;
let served: Served;
let issuer: string;
let closeFeed: () => Promise<void>;
/** Fails the next records while set. */
const faults: { recording: Error | undefined } = { recording: undefined };

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  acme = await seedOrganization(fixture.pool, { serviceAccounts: ['ci', 'idle'] });
  other = await seedOrganization(fixture.pool, { serviceAccounts: ['stranger'] });
  key = await fixture.apiKeys.issue(acme, 'ci');
  await startTokenFunction();
});

afterAll(async () => {
  await served.close();
  await token.close();
  await closeFeed();
  await fixture.close();
});

async function startTokenFunction(): Promise<void> {
  const recorder = postgresEventRecorder({ clock, random, source: 'uos/token' });
  const events: EventRecorder = {
    record: async (...input) => {
      if (faults.recording !== undefined) throw faults.recording;
      return recorder.record(...input);
    },
  };
  // The address is part of the configuration: it is served before there is a function to serve.
  const server = createFunctionServer(
    { clock, random, logger: silentLogger },
    {
      name: 'token',
      listener: (...request) => token.listener(...request),
      isReady: () => token.isReady(),
      bodyBytesMax,
    },
  );
  served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
  issuer = `http://127.0.0.1:${served.port}`;
  token = await createTokenFunction({ ...(await openTokenParts(fixture, clock)), events, issuer, audience });
  const feed = listen({
    url: fixture.database.appUrl,
    applicationName: 'test-token-feed',
    channels: [signingKeyChannel],
    clock,
    onNotification: token.keysChanged,
    onConnected: token.keysChanged,
  });
  closeFeed = feed.close;
}

type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

async function ask(path: string, init?: RequestInit): Promise<Answer> {
  const response = await fetch(`${issuer}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text ? JSON.parse(text) : {} };
}

function askToken(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  return ask('/token', { method: 'POST', headers, body: new URLSearchParams(form) });
}

const basic = (id: string, secret: string) => ({
  authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`,
});

async function requireToken(): Promise<string> {
  const answer = await askToken({ grant_type: 'client_credentials' }, basic(key.key.owner.id, key.text));
  expect(answer.body).toMatchObject({ token_type: 'Bearer', expires_in: 300 });
  return String(answer.body['access_token']);
}

async function kidsShown(): Promise<string[]> {
  const { body } = await ask('/jwks');
  return (body['keys'] as { kid: string }[]).map(({ kid }) => kid);
}

function verified(jwt: string) {
  const keys = openSigningKeySet({ pool: fixture.pool, store: postgresSigningKeyStore, clock });
  return verifyAccessToken({ keys, issuer, audience, clock }, jwt);
}

describe('before the first signing key', () => {
  test('is not ready, issues nothing, and shows no empty key set that somebody would cache', async () => {
    expect((await fetch(`${issuer}/health/ready`)).status).toBe(503);
    const answer = await askToken({ grant_type: 'client_credentials' }, basic(key.key.owner.id, key.text));
    expect(answer).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    const jwks = await ask('/jwks');
    expect([jwks.status, jwks.headers.get('cache-control')]).toEqual([503, 'no-store']);
  });

  test('becomes ready once key-rotation has made one', async () => {
    expect(await rotateSigningKeys(fixture.rotation)).toMatchObject({ ok: true });
    await expect
      .poll(async () => (await fetch(`${issuer}/health/ready`)).status, { timeout: 10_000 })
      .toBe(200);
  });
});

describe('client credentials', () => {
  test('a certified client gets a token that says who, which organization, for whom and how long', async () => {
    const config = await client.discovery(
      new URL(issuer),
      key.key.owner.id,
      key.text,
      client.ClientSecretBasic(key.text),
      { execute: [client.allowInsecureRequests] },
    );
    const granted = await client.clientCredentialsGrant(config);
    expect(granted.expires_in).toBe(300);
    expect(decodeProtectedHeader(granted.access_token)).toEqual({
      alg: 'ES256',
      typ: 'at+jwt',
      kid: (await kidsShown())[0],
    });
    const claims = decodeJwt(granted.access_token);
    expect(claims).toEqual({
      iss: issuer,
      aud: audience,
      sub: key.key.owner.id,
      client_id: key.key.owner.id,
      org_id: acme.organizationId,
      api_key_id: key.key.id,
      jti: expect.stringMatching(/^.{20,}$/),
      iat: expect.any(Number),
      exp: Number(claims.iat) + 300,
    });
    expect(await verified(granted.access_token)).toMatchObject({
      ok: true,
      value: { subject: key.key.owner.id, organizationId: acme.organizationId },
    });
  });

  test('takes the secret in the body as well, and OAuth discovery names what is served', async () => {
    const config = await client.discovery(
      new URL(issuer),
      key.key.owner.id,
      undefined,
      client.ClientSecretPost(key.text),
      { execute: [client.allowInsecureRequests], algorithm: 'oauth2' },
    );
    expect((await client.clientCredentialsGrant(config)).token_type).toBe('bearer');
    const { body } = await ask('/.well-known/openid-configuration');
    expect(body).toMatchObject({
      issuer,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      grant_types_supported: [
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    });
    expect(Object.keys(body).filter((name) => name.endsWith('_endpoint'))).toEqual(['token_endpoint']);
  });

  test('two keys of one account both work, each until it is revoked', async () => {
    const second = await fixture.apiKeys.issue(acme, 'ci');
    const credentials = basic(second.key.owner.id, second.text);
    expect((await askToken({ grant_type: 'client_credentials' }, credentials)).status).toBe(200);
    await revokeApiKey(fixture.apiKeys.deps, {
      organizationId: acme.organizationId,
      keyId: second.key.id,
      actor: { type: 'system', id: 'test' },
    });
    expect((await askToken({ grant_type: 'client_credentials' }, credentials)).status).toBe(401);
    await requireToken();
  });

  test('a token leaves with its record committed: who got it, by which key, until when', async () => {
    const jwt = await requireToken();
    const { jti, exp } = decodeJwt(jwt);
    const issued = await fixture.eventsOf('uos.token.issued.v1');
    const recorded = issued.find(({ leaf }) => leaf.data['tokenId'] === jti);
    expect(recorded?.subject).toBe(key.key.owner.id);
    expect(recorded?.leaf.data).toEqual({
      actor: { type: 'service_account', id: key.key.owner.id },
      tokenId: jti,
      keyId: decodeProtectedHeader(jwt).kid,
      audience,
      scope: '',
      expiresAt: new Date(Number(exp) * 1000).toISOString(),
      fingerprint: `${key.key.id}…${key.text.slice(-4)}`,
    });
    expect(JSON.stringify(recorded)).not.toContain(jwt);
  });

  test('a token of a scoped key says what the key is for, asked or not, and never more', async () => {
    const narrow = await issueScopedKey(
      { pool: fixture.pool, keys: fixture.apiKeys },
      { organization: acme, account: 'ci', scopes: ['document:*', 'invoice:read'] },
    );
    const credentials = basic(narrow.key.owner.id, narrow.text);
    const askFor = (scope?: string) =>
      askToken({ grant_type: 'client_credentials', ...(scope === undefined ? {} : { scope }) }, credentials);
    for (const scope of [undefined, 'document:read']) {
      const jwt = String((await askFor(scope)).body['access_token']);
      const granted = scope ?? 'document:* invoice:read';
      expect(decodeJwt(jwt)['scope']).toBe(granted);
      expect(await verified(jwt)).toMatchObject({ ok: true, value: { scope: granted } });
    }
    for (const scope of ['*:*', 'invoice:write', 'document:read invoice:*']) {
      const refused = await askFor(scope);
      expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_scope']);
    }
  });

  test('a token whose record cannot be written is not given', async () => {
    faults.recording = new Error('the disk is full');
    try {
      const answer = await askToken({ grant_type: 'client_credentials' }, basic(key.key.owner.id, key.text));
      expect(answer.status).toBe(503);
      expect(answer.body).toEqual({
        error: 'temporarily_unavailable',
        error_description: 'the service cannot answer now',
      });
    } finally {
      faults.recording = undefined;
    }
  });
});

describe('refusals', () => {
  const refusal = { error: 'invalid_client', error_description: 'client authentication failed' };

  async function secretsThatMustFail(): Promise<Record<string, [string, string]>> {
    const revoked = await fixture.apiKeys.issue(acme, 'ci');
    await revokeApiKey(fixture.apiKeys.deps, {
      organizationId: acme.organizationId,
      keyId: revoked.key.id,
      actor: { type: 'system', id: 'test' },
    });
    const stranger = await fixture.apiKeys.issue(other, 'stranger');
    const good = key.key.owner.id;
    return {
      'an unknown client': ['sa_01jd00000000000000000000zz', key.text],
      'a client id that is no id': ['nobody', key.text],
      'a wrong secret': [good, 'wrong'],
      'a key with a broken checksum': [good, `${key.text.slice(0, -1)}~`],
      'a revoked key': [good, revoked.text],
      'a good key of another account': [good, stranger.text],
      'a good key of its sibling': [acme.idOf('idle'), key.text],
    };
  }

  test('unknown client, wrong secret, revoked key and foreign key are answered exactly alike', async () => {
    for (const [what, [id, secret]] of Object.entries(await secretsThatMustFail())) {
      const byHeader = await askToken({ grant_type: 'client_credentials' }, basic(id, secret));
      expect([what, byHeader.status, byHeader.body]).toEqual([what, 401, refusal]);
      // RFC 6749 section 5.2: the scheme that was used.
      expect([what, byHeader.headers.get('www-authenticate')]).toEqual([
        what,
        `Basic realm="${issuer}", error="invalid_client", error_description="client authentication failed"`,
      ]);
      const byBody = await askToken({
        grant_type: 'client_credentials',
        client_id: id,
        client_secret: secret,
      });
      expect([what, byBody.status, byBody.body]).toEqual([what, 401, refusal]);
      expect(byBody.headers.get('cache-control')).toBe('no-store');
    }
  });

  test('are recorded for a known client, once a minute and without blaming it', async () => {
    const idle = acme.idOf('idle');
    for (let attempt = 0; attempt < 3; attempt++) {
      await askToken({ grant_type: 'client_credentials' }, basic(idle, 'not even a key'));
    }
    const recorded = (await fixture.eventsOf('uos.token.refused.v1')).filter(
      ({ subject, leaf }) => subject === idle && leaf.data['reason'] === 'malformed',
    );
    expect(recorded).toHaveLength(1);
    expect(recorded[0]?.leaf.data).toEqual({
      actor: { type: 'system', id: 'token' },
      reason: 'malformed',
    });
  });

  test.each([
    ['no grant type', {}, 'invalid_request'],
    ['another grant', { grant_type: 'password', username: 'a', password: 'b' }, 'unsupported_grant_type'],
    [
      'another audience',
      { grant_type: 'client_credentials', resource: 'https://other.example' },
      'invalid_target',
    ],
    ['two answers at once', { grant_type: 'client_credentials', client_secret: 'x' }, 'invalid_request'],
  ])('%s is a 400 in the form of RFC 6749', async (_what, form, error) => {
    const answer = await askToken(form as Record<string, string>, basic(key.key.owner.id, key.text));
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
  });

  test('a scope narrows the token, and one that is none is refused by name', async () => {
    const credentials = basic(key.key.owner.id, key.text);
    const form = { grant_type: 'client_credentials' };
    const narrow = await askToken({ ...form, scope: 'document:read api_key:* document:read' }, credentials);
    expect(narrow.body['scope']).toBe('document:read api_key:*');
    expect(decodeJwt(String(narrow.body['access_token']))['scope']).toBe('document:read api_key:*');
    for (const scope of ['admin', 'document:read openid', '*:read']) {
      const refused = await askToken({ ...form, scope }, credentials);
      expect([refused.status, refused.body['error']]).toEqual([400, 'invalid_scope']);
    }
  });

  test('a body over the cap never reaches the library', async () => {
    const answer = await askToken({ grant_type: 'client_credentials', padding: 'x'.repeat(bodyBytesMax) });
    expect(answer.status).toBe(413);
  });

  test.each(['/auth', '/me', '/introspect', '/interaction/x', '/session/end', '/toString', '/'])(
    'the library serves nothing at %s',
    async (path) => {
      expect((await ask(path)).body['code']).toBe('request.route_unknown');
    },
  );

  // Threat: a poisoned Host header that a cache keeps sends every client to the attacker's token endpoint.
  test('a forged Host header does not reach the discovery document', async () => {
    const forged = { host: 'evil.example', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' };
    // Not fetch: it does not let a caller choose Host.
    const text = await new Promise<string>((resolve, reject) => {
      get(`${issuer}/.well-known/openid-configuration`, { headers: forged }, (res) => {
        res.setEncoding('utf8').on('data', resolve);
      }).on('error', reject);
    });
    const body = JSON.parse(text);
    expect(body['token_endpoint']).toBe(`${issuer}/token`);
  });
});

describe('rotation while serving', () => {
  test('shows the next key before it signs; then signs with it, while old tokens verify until they die', async () => {
    const old = await requireToken();
    const oldKid = decodeProtectedHeader(old).kid ?? '';
    await requestRotation(fixture.rotation, { actor: { type: 'system', id: 'test' } });
    const rotated = await rotateSigningKeys(fixture.rotation);
    const next = rotated.ok ? rotated.value.published[0]?.keyId : undefined;
    expect(next).toBeDefined();

    await expect.poll(kidsShown, { timeout: 10_000 }).toEqual([oldKid, next]);
    expect(decodeProtectedHeader(await requireToken()).kid).toBe(oldKid);

    time.offsetSeconds += 61;
    const fresh = await requireToken();
    expect(decodeProtectedHeader(fresh).kid).toBe(next);
    expect(await verified(old)).toMatchObject({ ok: true });
    expect(await kidsShown()).toContain(oldKid);

    time.offsetSeconds += 361;
    await rotateSigningKeys(fixture.rotation);
    await expect.poll(kidsShown, { timeout: 10_000 }).toEqual([next]);
  });

  test('the key set may be cached for less than the lead of a published key', async () => {
    const { headers } = await ask(`/jwks?${randomUUID()}`);
    expect(headers.get('cache-control')).toBe('public, max-age=30, must-revalidate');
    expect(headers.get('content-type')).toBe('application/jwk-set+json');
  });

  test('many requests at once after a rotation are all signed by the new key', async () => {
    await requestRotation(fixture.rotation, { actor: { type: 'system', id: 'test' } });
    const rotated = await rotateSigningKeys(fixture.rotation);
    const next = rotated.ok ? rotated.value.published[0]?.keyId : undefined;
    await expect.poll(kidsShown, { timeout: 10_000 }).toContain(next);
    time.offsetSeconds += 61;
    const tokens = await Promise.all(Array.from({ length: 8 }, requireToken));
    const kids = new Set(tokens.map((jwt) => decodeProtectedHeader(jwt).kid));
    expect([...kids]).toEqual([next]);
  });
});
