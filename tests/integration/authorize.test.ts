import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeProtectedHeader, importJWK, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { boundPool } from '../../functions/authorize/bound-pool.ts';
import { createAuthorizeFunction } from '../../functions/authorize/create-authorize-function.ts';
import { watchPolicyBundle } from '../../functions/authorize/watch-policy-bundle.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { type IssuedApiKey, revokeApiKey } from '../../shared/api-key/index.ts';
import { cacheSubjectFacts } from '../../shared/authorization/cached-subject-facts.ts';
import { createPolicyEngine } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import { type DatabasePool, openPool, withOrg } from '../../shared/db/index.ts';
import type { DecisionRecord } from '../../shared/decision-record/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { createFunctionServer, serve } from '../../shared/http/index.ts';
import { invariant, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { openPrivateJwk, openSigningKeySet, rotateSigningKeys } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import {
  openTestApiKeys,
  type SeededOrganization,
  seedOrganization,
  type TestApiKeys,
} from '../support/seed-organization.ts';

const deps = { clock: systemClock, random: systemRandom };
const issuer = 'https://token.example.test';
const audience = 'https://api.example.test';
const publicUrl = 'https://authorize.example.test';
const builtInBundle = join(import.meta.dirname, '../../policies/bundle');

let database: TestDatabase;
let pool: DatabasePool;
let keys: TestApiKeys;
let privateJwk: Awaited<ReturnType<typeof createSigningKey>>;
let bundleDirectory: string;
let instance: Instance;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.appUrl, applicationName: 'test' });
  keys = await openTestApiKeys(pool);
  await seedOrganization(pool, { organizationId: platformOrganizationId, name: 'platform' });
  privateJwk = await createSigningKey();
  bundleDirectory = await mkdtemp(join(tmpdir(), 'uos-bundle-'));
  for (const name of ['manifest.json', 'authz.wasm', 'data.json']) {
    await copyFile(join(builtInBundle, name), join(bundleDirectory, name));
  }
  instance = await startInstance();
});

afterAll(async () => {
  await instance.close();
  await keys.dispose();
  await pool.close();
  await database.drop();
  await rm(bundleDirectory, { recursive: true });
});

type Instance = Awaited<ReturnType<typeof startInstance>>;

/** One warm instance as its composition root makes it, with decisions kept where the test can see them. */
async function startInstance(options: { waitingMax?: number } = {}) {
  const url = database.appUrl;
  const reads = boundPool(openPool({ url, applicationName: 'test' }), {
    waitingMax: options.waitingMax ?? 128,
  });
  const signingKeys = openSigningKeySet({ pool: reads, store: postgresSigningKeyStore, clock: systemClock });
  const feed = openAuthorizationFeed({
    url,
    applicationName: 'test',
    clock: systemClock,
    onSigningKeysChanged: signingKeys.invalidate,
  });
  const engine = createPolicyEngine({ clock: systemClock });
  const policies = await watchPolicyBundle(
    { engine, logger: silentLogger },
    { directory: bundleDirectory, intervalMs: 20 },
  );
  const records: DecisionRecord[] = [];
  const state = { isAccepting: true };
  const authorize = createAuthorizeFunction({
    apiKeys: { pool: reads, store: postgresApiKeyStore(reads), pepper: keys.deps.pepper },
    signingKeys,
    facts: cacheSubjectFacts({ source: postgresSubjectFacts(reads), feed, clock: systemClock }),
    feed,
    engine,
    decisions: {
      record: (record) => void records.push(record),
      isAccepting: () => state.isAccepting,
    },
    clock: systemClock,
    logger: silentLogger,
    issuer,
    audience,
    publicUrl,
  });
  const server = createFunctionServer(
    { ...deps, logger: silentLogger },
    { name: `authorize-${systemRandom.bytes(4).join('')}`, ...authorize },
  );
  const served = await serve(silentLogger, server, {
    port: 0,
    host: '127.0.0.1',
    closers: [policies.close, feed.close, reads.close],
  });
  await waitUntil(async () => feed.isLive());
  const base = `http://127.0.0.1:${served.port}`;
  return { base, records, state, engine, feed, close: served.close };
}

/** The first signing key, active at once, as key-rotation makes it. */
async function createSigningKey() {
  const wrapper = await openFileKeyWrapper(deps, keys.wrappingKeyFile);
  const ring = await openKeyRing({ ...deps, pool, store: postgresDataKeyStore, wrapper }, 'signing-key');
  const rotated = await rotateSigningKeys({
    ...deps,
    pool,
    ring,
    store: postgresSigningKeyStore,
    events: postgresEventRecorder({ ...deps, source: 'uos/test' }),
    policy: { intervalSeconds: 86_400, publishLeadSeconds: 600, tokenTtlSecondsMax: 300 },
  });
  invariant(rotated.ok && rotated.value.published, 'no signing key was published');
  const { keyId } = rotated.value.published;
  const opened = await openPrivateJwk({ pool, store: postgresSigningKeyStore, ring }, keyId);
  invariant(opened.ok, 'the signing key does not open');
  return { keyId, jwk: opened.value };
}

type Scene = {
  readonly organization: SeededOrganization;
  readonly gateway: IssuedApiKey;
  readonly outsider: IssuedApiKey;
  readonly alice: { readonly type: 'user'; readonly id: string };
};

/** `gateway` may ask about anyone; `outsider` may not; alice reads documents and is denied one of them. */
async function setScene(): Promise<Scene> {
  const organization = await seedOrganization(pool, {
    users: ['alice'],
    serviceAccounts: ['gateway', 'outsider'],
    teams: { staff: { members: ['alice'] } },
    roles: { reader: ['document:read'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'reader', subject: 'staff' },
      { role: 'reader', subject: 'alice', at: { resource: 'document:secret' }, effect: 'deny' },
    ],
  });
  return {
    organization,
    gateway: await keys.issue(organization, 'gateway'),
    outsider: await keys.issue(organization, 'outsider'),
    alice: { type: 'user', id: organization.idOf('alice') },
  };
}

const question = (
  subject: { type: string; id: string },
  more: { action?: string; document?: string; context?: object; options?: object } = {},
) => ({
  subject,
  action: { name: more.action ?? 'read' },
  resource: { type: 'document', id: more.document ?? '42' },
  ...(more.context === undefined ? {} : { context: more.context }),
  ...(more.options === undefined ? {} : { options: more.options }),
});

async function post(
  body: unknown,
  options: { token?: string; headers?: Record<string, string>; base?: string } = {},
) {
  const response = await fetch(`${options.base ?? instance.base}/access/v1/evaluation`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(20_000);
  while (!(await holds())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

let scene: Scene;
beforeEach(async () => {
  scene = await setScene();
});

describe('a question', () => {
  it('is answered by the policy from the bindings of the subject and its teams', async () => {
    const token = scene.gateway.text;
    expect((await post(question(scene.alice), { token })).text).toBe('{"decision":true}');
    expect((await post(question(scene.alice, { action: 'write' }), { token })).text).toBe(
      '{"decision":false}',
    );
    const denied = await post(question(scene.alice, { document: 'secret' }), { token });
    expect(denied.status).toBe(200);
    expect(denied.text).toBe('{"decision":false}');
  });

  it('is answered with reasons on request only', async () => {
    const { json } = await post(question(scene.alice, { document: 'secret', options: { reasons: true } }), {
      token: scene.gateway.text,
    });
    expect(json).toEqual({
      decision: false,
      context: {
        code: 'forbidden',
        rule: 'denied_by_binding',
        binding: scene.organization.bindingIds[2],
        policy_revision: instance.engine.status().revision,
      },
    });
  });

  it('of an unknown subject, or a type nobody has, is answered with no', async () => {
    for (const subject of [
      { type: 'user', id: 'nobody' },
      { type: 'robot', id: 'r2' },
    ]) {
      const { status, json } = await post(question(subject, { options: { reasons: true } }), {
        token: scene.gateway.text,
      });
      expect(status).toBe(200);
      expect(json).toMatchObject({ decision: false, context: { code: 'unknown_subject' } });
    }
  });

  it('about a subject of another organization is answered as one about nobody', async () => {
    const other = await setScene();
    const body = question(other.alice, { options: { reasons: true } });
    const { json } = await post(body, { token: scene.gateway.text });
    expect(json).toMatchObject({ decision: false, context: { code: 'unknown_subject' } });
    expect((await post(body, { token: other.gateway.text })).json.decision).toBe(true);
  });

  it('may hold members nobody knows, and nulls where nothing is', async () => {
    const body = { ...question(scene.alice), context: null, extra: { a: 1 }, options: 'odd' };
    expect((await post(body, { token: scene.gateway.text })).text).toBe('{"decision":true}');
  });

  it('becomes a record with who asked, about whom, what was answered and by which rule', async () => {
    await post(question(scene.alice), { token: scene.gateway.text, headers: { 'x-request-id': 'r-17' } });
    expect(instance.records.at(-1)).toMatchObject({
      organization: scene.organization.organizationId,
      requestId: 'r-17',
      principal: {
        type: 'service_account',
        id: scene.organization.idOf('gateway'),
        credential: `${scene.gateway.key.id}…${scene.gateway.key.lastFour}`,
      },
      subject: scene.alice,
      action: 'read',
      resource: { type: 'document', id: '42' },
      decision: true,
      code: 'permitted',
      rule: 'granted_by_binding',
      binding: scene.organization.bindingIds[1],
      policyRevision: instance.engine.status().revision,
    });
    expect(JSON.stringify(instance.records)).not.toContain(scene.gateway.text.slice(40));
  });

  it('is not decided when its answer could not be recorded', async () => {
    instance.state.isAccepting = false;
    const answer = await post(question(scene.alice), { token: scene.gateway.text });
    const ready = await fetch(`${instance.base}/health/ready`);
    instance.state.isAccepting = true;
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(ready.status).toBe(503);
    expect((await fetch(`${instance.base}/health/ready`)).status).toBe(200);
  });
});

describe('the caller', () => {
  it('needs the permission to ask about others, and none to ask about itself', async () => {
    const token = scene.outsider.text;
    const refused = await post(question(scene.alice), { token });
    expect(refused.status).toBe(403);
    expect(refused.json).toMatchObject({ code: 'authorization.not_permitted' });
    const itself = { type: 'service_account', id: scene.organization.idOf('outsider') };
    expect(await post(question(itself), { token })).toMatchObject({
      status: 200,
      json: { decision: false },
    });
  });

  it.each([
    ['no credential', undefined, 'credential.missing'],
    ['another scheme', 'Basic dXNlcjpwYXNz', 'credential.invalid'],
    ['an empty token', 'Bearer ', 'credential.invalid'],
    ['two tokens', 'Bearer a, Bearer b', 'credential.invalid'],
    ['a token that is none', 'Bearer abc', 'credential.invalid'],
    ['a key with a wrong checksum', 'Bearer uos_sa_test_x', 'credential.invalid'],
  ])('with %s is told so with a challenge', async (_, authorization, code) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await post(question(scene.alice), { headers });
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code });
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer realm="uos"/);
  });

  // All refusals of a credential alike: the answer must not tell a known key from an unknown one.
  it('learns nothing of why its key was refused', async () => {
    const elsewhere = await createForeignKey();
    const expired = await keys.issue(scene.organization, 'gateway', {
      expiresAt: new Date(systemClock.now().getTime() + 1_100),
    });
    const revoked = await keys.issue(scene.organization, 'gateway');
    await revoke(revoked);
    await waitUntil(async () => (await post(question(scene.alice), { token: expired.text })).status === 401);
    const answers = await Promise.all(
      [elsewhere, expired.text, revoked.text, flipped(scene.gateway.text)].map(async (token) => {
        const answer = await post(question(scene.alice), { token, headers: { 'x-request-id': 'same' } });
        return {
          status: answer.status,
          text: answer.text,
          challenge: answer.headers.get('www-authenticate'),
        };
      }),
    );
    expect(answers[0]?.status).toBe(401);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it.each([
    ['its key is revoked', () => revoke(scene.gateway)],
    ['its account is disabled', () => change("update service_account set status = 'disabled'")],
    ['its organization is suspended', () => change("update organization set status = 'suspended'")],
  ])('is refused by every warm instance once %s, with the key and with its token', async (_, end) => {
    const second = await startInstance();
    const token = await mint(scene);
    const credentials = [scene.gateway.text, token];
    const ask = (base: string, text: string) => post(question(scene.alice), { base, token: text });
    for (const { base } of [instance, second]) {
      for (const text of credentials) expect((await ask(base, text)).text).toBe('{"decision":true}');
    }
    await end();
    for (const { base } of [instance, second]) {
      for (const text of credentials) await waitUntil(async () => (await ask(base, text)).status === 401);
    }
    await second.close();
  });

  it('is refused without the feed, too: a silent feed is not believed', async () => {
    const second = await startInstance();
    const ask = () => post(question(scene.alice), { base: second.base, token: scene.gateway.text });
    expect((await ask()).status).toBe(200);
    await second.feed.close();
    await revoke(scene.gateway);
    await waitUntil(async () => (await ask()).status === 401);
    expect((await fetch(`${second.base}/health/ready`)).status).toBe(503);
    await second.close();
  });

  it('sees a removed right flip the answer, and a changed role', async () => {
    const ask = () => post(question(scene.alice), { token: scene.gateway.text });
    expect((await ask()).json.decision).toBe(true);
    await change("update role set permissions = '{document:list}'");
    await waitUntil(async () => (await ask()).json.decision === false);
  });
});

describe('an access token', () => {
  it('proves its service account', async () => {
    const { status, json } = await post(question(scene.alice), { token: await mint(scene) });
    expect([status, json]).toEqual([200, { decision: true }]);
    expect(instance.records.at(-1)?.principal).toMatchObject({ credential: 'token-1' });
  });

  // Each is one claim or header away from a good token.
  it.each<[string, Partial<MintOptions>]>([
    ['of another issuer', { claims: { iss: 'https://evil.example.test' } }],
    ['for another audience', { claims: { aud: 'https://other.example.test' } }],
    ['that has expired', { claims: { iat: now() - 400, exp: now() - 100 } }],
    ['that lives longer than ours do', { claims: { iat: now() - 400, exp: now() + 3_600 } }],
    ['of another organization', { claims: { org_id: platformOrganizationId } }],
    ['without an organization', { claims: { org_id: undefined } }],
    ['of an unknown key', { keyId: 'unknown' }],
    ['signed by another key', { foreignKey: true }],
    ['of another type', { header: { typ: 'JWT' } }],
    ['that names its own key', { header: { jku: 'https://evil.example.test/jwks' } }],
    ['signed with the public key as an HMAC secret', { algorithm: 'HS256' }],
    ['that is not signed', { algorithm: 'none' }],
  ])('%s is refused with a challenge', async (_, options) => {
    const answer = await post(question(scene.alice), { token: await mint(scene, options) });
    expect(answer.status).toBe(401);
    expect(answer.json).toMatchObject({ code: 'credential.invalid' });
    expect(answer.headers.get('www-authenticate')).toContain('error="invalid_token"');
  });
});

describe('the contract', () => {
  it.each([
    ['no JSON', '{', 'The body is not JSON'],
    ['no object', '[]', 'the request must be an object'],
    ['no subject', { action: { name: 'read' }, resource: { type: 'a', id: 'b' } }, 'subject is required'],
    ['an empty id', question({ type: 'user', id: '' }), 'subject.id must not be empty'],
    [
      'a number as id',
      { ...question({ type: 'user', id: 'x' }), subject: { type: 'user', id: 7 } },
      'subject.id',
    ],
    ['no action name', { ...question({ type: 'user', id: 'x' }), action: {} }, 'action.name is required'],
    [
      'text as resource',
      { ...question({ type: 'user', id: 'x' }), resource: 'r' },
      'resource must be an object',
    ],
  ])('answers 400 to a body with %s, and says where', async (_, body, where) => {
    const answer = await post(body, { token: scene.gateway.text, headers: { 'x-request-id': 'bad-1' } });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: 'request.malformed', detail: expect.stringContaining(where) });
    expect(answer.headers.get('x-request-id')).toBe('bad-1');
  });

  it.each(['text/plain', 'application/xml', 'application/jsonx'])(
    'answers 400, not 415, to the content type %s',
    async (contentType) => {
      const headers = { 'content-type': contentType };
      const answer = await post(question(scene.alice), { token: scene.gateway.text, headers });
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ detail: 'Content-Type must be application/json' });
    },
  );

  it('takes a content type with parameters', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await post(question(scene.alice), { token: scene.gateway.text, headers })).status).toBe(200);
  });

  it('answers 413 to a body beyond the bound', async () => {
    const body = question(scene.alice, { context: { filler: 'x'.repeat(70_000) } });
    expect((await post(body, { token: scene.gateway.text })).status).toBe(413);
  });

  it('survives a body nested as deep as the bound allows, with no', async () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const body = JSON.stringify(question(scene.alice, { context: { deep: 0 } })).replace('0}', `${deep}}`);
    expect((await post(body, { token: scene.gateway.text })).json.decision).not.toBe(true);
    expect((await post(question(scene.alice), { token: scene.gateway.text })).json.decision).toBe(true);
  });

  it('echoes the request id, on answers, refusals and discovery', async () => {
    const headers = { 'x-request-id': 'abc/123' };
    const { base } = instance;
    const answers = [
      await post(question(scene.alice), { token: scene.gateway.text, headers }),
      await post(question(scene.alice), { headers }),
      await fetch(`${base}/.well-known/authzen-configuration`, { headers }),
      await fetch(`${base}/nowhere`, { headers }),
    ];
    expect(answers.map((answer) => answer.headers.get('x-request-id'))).toEqual(
      Array.from({ length: 4 }, () => 'abc/123'),
    );
  });

  // A Host header decides nothing: a cache would hand poisoned addresses to others.
  it('names its addresses from configuration, whatever the Host header says', async () => {
    const response = await fetch(`${instance.base}/.well-known/authzen-configuration`, {
      headers: { 'x-forwarded-host': 'evil.example.test', host: 'evil.example.test' },
    });
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      policy_decision_point: publicUrl,
      access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
    });
  });

  it('knows no other address or method', async () => {
    for (const [method, path] of [
      ['GET', '/access/v1/evaluation'],
      ['POST', '/.well-known/authzen-configuration'],
      ['GET', '/constructor'],
    ] as const) {
      expect((await fetch(instance.base + path, { method })).status).toBe(404);
    }
  });
});

describe('overload', () => {
  it('answers 503 at once to what would have to wait too long, and recovers', async () => {
    const small = await startInstance({ waitingMax: 1 });
    const ask = (id: string) =>
      post(question({ type: 'user', id }), { base: small.base, token: scene.gateway.text });
    await waitUntil(async () => (await ask('warm')).status === 200);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(`unknown-${n}`)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toContain(503);
    for (const { status, headers, json } of answers.filter((answer) => answer.status !== 200)) {
      expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'service.overloaded', '1']);
    }
    expect((await ask('afterwards')).status).toBe(200);
    await small.close();
  });
});

describe('the policy bundle', () => {
  const manifestFile = () => join(bundleDirectory, 'manifest.json');

  it('is swapped without a restart; a broken one never replaces a good one', async () => {
    const ask = () =>
      post(question(scene.alice, { options: { reasons: true } }), { token: scene.gateway.text });
    const manifest = JSON.parse(await readFile(manifestFile(), 'utf8'));
    const write = (changes: object) => writeFile(manifestFile(), JSON.stringify({ ...manifest, ...changes }));

    await write({ revision: 'second' });
    await waitUntil(async () => (await ask()).json.context.policy_revision === 'second');
    await write({ revision: 'broken', wasm_sha256: '0'.repeat(64) });
    // The watch has surely looked once it takes up the next good one.
    const during = await ask();
    await write({ revision: 'third' });
    await waitUntil(async () => {
      const { json } = await ask();
      expect(json.decision).toBe(true);
      expect(json.context.policy_revision).not.toBe('broken');
      return json.context.policy_revision === 'third';
    });
    expect(during.json.context.policy_revision).toBe('second');
    await write({});
    await waitUntil(async () => (await ask()).json.context.policy_revision === manifest.revision);
  });
});

function now(): number {
  return Math.floor(systemClock.now().getTime() / 1000);
}

type MintOptions = {
  claims: JWTPayload;
  header: object;
  keyId: string;
  foreignKey: boolean;
  algorithm: 'ES256' | 'HS256' | 'none';
};

async function mint({ organization, gateway }: Scene, options: Partial<MintOptions> = {}): Promise<string> {
  const account = organization.idOf('gateway');
  const claims = {
    iss: issuer,
    aud: audience,
    sub: account,
    client_id: account,
    org_id: organization.organizationId,
    api_key_id: gateway.key.id,
    jti: 'token-1',
    iat: now(),
    exp: now() + 300,
    ...options.claims,
  };
  const { jwk, keyId } = privateJwk;
  const header = { alg: 'ES256', typ: 'at+jwt', kid: options.keyId ?? keyId, ...options.header };
  if (options.algorithm === 'none') {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ ...header, alg: 'none' })}.${part(claims)}.`;
  }
  if (options.algorithm === 'HS256') {
    const secret = new TextEncoder().encode(JSON.stringify({ ...jwk, d: undefined }));
    return new SignJWT(claims).setProtectedHeader({ ...header, alg: 'HS256' }).sign(secret);
  }
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign']);
  const key = options.foreignKey === true ? pair.privateKey : await importJWK({ ...jwk }, 'ES256');
  const token = await new SignJWT(claims).setProtectedHeader(header).sign(key);
  expect(decodeProtectedHeader(token).alg).toBe('ES256');
  return token;
}

/** A well-formed key that was never issued here. */
async function createForeignKey(): Promise<string> {
  const other = await createTestDatabase();
  const otherPool = openPool({ url: other.appUrl, applicationName: 'test' });
  const otherKeys = await openTestApiKeys(otherPool);
  const organization = await seedOrganization(otherPool, { serviceAccounts: ['x'] });
  const { text } = await otherKeys.issue(organization, 'x');
  await otherKeys.dispose();
  await otherPool.close();
  await other.drop();
  return text;
}

/** One character of the secret changed, so that the checksum no longer fits. */
function flipped(text: string): string {
  const at = text.length - 20;
  return text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);
}

async function revoke(issued: IssuedApiKey): Promise<void> {
  const revoked = await revokeApiKey(keys.deps, {
    organizationId: issued.key.organizationId,
    keyId: issued.key.id,
    actor: { type: 'system', id: 'test' },
  });
  expect(revoked.ok).toBe(true);
}

async function change(statement: string): Promise<void> {
  const { organizationId } = scene.organization;
  await withOrg(pool, organizationId, async (tx) => {
    const { sql } = await import('kysely');
    await sql.raw(statement).execute(tx);
  });
}
