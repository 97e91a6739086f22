import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApiKeyText } from '../../shared/api-key/api-key-text.ts';
import { type IssuedApiKey, revokeApiKey, rotateApiKey } from '../../shared/api-key/index.ts';
import { openPool, withOrg } from '../../shared/db/index.ts';
import { invariant, systemClock, systemRandom, toNumericDate } from '../../shared/kernel/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  question,
  type Scene,
  setScene,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { openTestApiKeys, seedOrganization } from '../support/seed-organization.ts';
import {
  createTestSigningKey,
  type MintOptions,
  mintTestToken,
  type TestSigningKey,
} from '../support/test-token.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let signingKey: TestSigningKey;
let scene: Scene;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  signingKey = await createTestSigningKey(world.pool, world.keys.wrappingKeyFile);
  instance = await startAuthorizeInstance(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  scene = await setScene(world);
});

const post = (body: unknown, options: Parameters<typeof askAuthorize>[2] = {}) =>
  askAuthorize(instance.base, body, options);

function mint({ organization, gateway }: Scene, options: Partial<MintOptions> = {}): Promise<string> {
  const { organizationId, idOf } = organization;
  const about = { account: idOf('gateway'), organizationId, apiKeyId: gateway.key.id };
  return mintTestToken(signingKey, about, options);
}

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
    const expired = await world.keys.issue(scene.organization, 'gateway');
    await change(
      `update api_key set expires_at = now() - interval '1 second' where key_id = '${expired.key.id}'`,
    );
    const revoked = await world.keys.issue(scene.organization, 'gateway');
    await revoke(revoked);
    await waitUntil(async () => (await post(question(scene.alice), { token: expired.text })).status === 401);
    const guesses = [otherSecretOf(scene.gateway), flipped(scene.gateway.text)];
    const answers = await Promise.all(
      [elsewhere, expired.text, revoked.text, ...guesses].map(async (token) => {
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
    ['its key is disabled', () => change("update api_key set status = 'disabled'")],
    ['its key has expired', () => change('update api_key set expires_at = now()')],
    ['its account is disabled', () => change("update service_account set status = 'disabled'")],
    ['its organization is suspended', () => change("update organization set status = 'suspended'")],
  ])('is refused by every warm instance once %s, with the key and with its token', async (_, end) => {
    const second = await startAuthorizeInstance(world);
    const token = await mint(scene);
    const credentials = [scene.gateway.text, token];
    const ask = (base: string, token: string) => askAuthorize(base, question(scene.alice), { token });
    for (const { base } of [instance, second]) {
      for (const text of credentials) expect((await ask(base, text)).text).toBe('{"decision":true}');
    }
    await end();
    for (const { base } of [instance, second]) {
      for (const text of credentials) await waitUntil(async () => (await ask(base, text)).status === 401);
    }
    await second.close();
  });

  it('is refused by every warm instance with the secret that a rotation has ended', async () => {
    const second = await startAuthorizeInstance(world);
    const ask = (base: string, token: string) => askAuthorize(base, question(scene.alice), { token });
    const bases = [instance.base, second.base];
    for (const base of bases) expect((await ask(base, scene.gateway.text)).status).toBe(200);
    const overlapping = await rotate(scene.gateway, 60);
    for (const base of bases) {
      for (const text of [scene.gateway.text, overlapping]) expect((await ask(base, text)).status).toBe(200);
    }
    const last = await rotate(scene.gateway, 0);
    for (const base of bases) {
      for (const text of [scene.gateway.text, overlapping])
        await waitUntil(async () => (await ask(base, text)).status === 401);
      expect((await ask(base, last)).status).toBe(200);
    }
    await second.close();
  });

  it('is refused with the secret before, the moment the overlap ends, however warm the instance', async () => {
    const ask = (token: string) => post(question(scene.alice), { token });
    const last = await rotate(scene.gateway, 5);
    expect((await ask(scene.gateway.text)).status).toBe(200);
    await waitUntil(async () => (await ask(scene.gateway.text)).status === 401);
    expect((await ask(last)).status).toBe(200);
  });

  // The address is checked at each use, not with the key: what is remembered of it proves nothing from elsewhere.
  it('is refused from outside the networks of its key, with the same answer as ever', async () => {
    const ask = () =>
      post(question(scene.alice), { token: scene.gateway.text, headers: { 'x-request-id': 'r' } });
    await change("update api_key set allowed_networks = '{127.0.0.0/8}'");
    expect((await ask()).status).toBe(200);
    await change("update api_key set allowed_networks = '{192.0.2.0/24}'");
    await waitUntil(async () => (await ask()).status === 401);
    const unknown = await post(question(scene.alice), {
      token: await createForeignKey(),
      headers: { 'x-request-id': 'r' },
    });
    expect((await ask()).text).toBe(unknown.text);
  });

  it('is refused without the feed, too: a silent feed is not believed', async () => {
    const second = await startAuthorizeInstance(world);
    const ask = () => askAuthorize(second.base, question(scene.alice), { token: scene.gateway.text });
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

function now(): number {
  return toNumericDate(systemClock.now());
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

/** Form and checksum right: what only a look-up can tell from the real one. */
function otherSecretOf({ key }: IssuedApiKey): string {
  return createApiKeyText(systemRandom, key.id, { kind: 'sa', environment: 'test' });
}

/** One character of the secret changed, so that the checksum no longer fits. */
function flipped(text: string): string {
  const at = text.length - 20;
  return text.slice(0, at) + (text[at] === 'a' ? 'b' : 'a') + text.slice(at + 1);
}

async function revoke(issued: IssuedApiKey): Promise<void> {
  const revoked = await revokeApiKey(world.keys.deps, {
    organizationId: issued.key.organizationId,
    keyId: issued.key.id,
    actor: { type: 'system', id: 'test' },
  });
  expect(revoked.ok).toBe(true);
}

async function rotate({ key }: IssuedApiKey, overlapSeconds: number): Promise<string> {
  const rotated = await rotateApiKey(world.keys.deps, {
    organizationId: key.organizationId,
    keyId: key.id,
    actor: { type: 'system', id: 'test' },
    environment: 'test',
    overlapSeconds,
  });
  invariant(rotated.ok, 'not rotated');
  return rotated.value.text;
}

async function change(statement: string): Promise<void> {
  const { organizationId } = scene.organization;
  await withOrg(world.pool, organizationId, async (tx) => {
    await sql.raw(statement).execute(tx);
  });
}
