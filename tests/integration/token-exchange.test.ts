import { decodeJwt, exportJWK, generateKeyPair, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTokenFunction, type TokenFunction } from '../../functions/token/create-token-function.ts';
import { bodyBytesMax } from '../../functions/token/handler.ts';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { type IssuedApiKey, revokeApiKey } from '../../shared/api-key/index.ts';
import { type Authenticator, createAuthenticator, toActor } from '../../shared/authentication/index.ts';
import { openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import { createFunctionServer, type Served, serve } from '../../shared/http/index.ts';
import { type Clock, invariant, secondsAfter, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { jsonWebKeySetSchema } from '../../shared/remote-jwks/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { openSigningKeySet, rotateSigningKeys } from '../../shared/signing-key/index.ts';
import { postgresSigningKeyStore } from '../../shared/signing-key/signing-key-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createAccessTokenVerifier } from '../../shared/token/index.ts';
import {
  type CreateTrustRuleInput,
  createTrustRule,
  disableTrustRule,
  enableTrustRule,
  pruneTokenUses,
  removeTrustRule,
  type TrustRule,
  type TrustRuleDeps,
} from '../../shared/workload-identity/index.ts';
import { postgresTokenUseStore } from '../../shared/workload-identity/token-use-store.postgres.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';
import { startTestIssuer, type TestIssuer } from '../support/test-issuer.ts';
import { openTokenParts } from '../support/token-parts.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

const audience = 'urn:uos:test';
const random = systemRandom;
const actor = { type: 'system', id: 'test' } as const;
const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange';
const bearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;

const time = { offsetSeconds: 0 };
const clock: Clock = { now: () => secondsAfter(systemClock.now(), time.offsetSeconds) };
/** Of both functions, as the operator would list them. */
const internalIssuers = new Set<string>();
const faults: { recording: Error | undefined } = { recording: undefined };

let fixture: SigningKeyFixture;
let foreign: TestIssuer;
let trust: TrustRuleDeps;
let acme: SeededOrganization;
let other: SeededOrganization;
let rule: TrustRule;
let token: TokenFunction;
let served: Served;
let issuer: string;
/** Of a warm instance that remembers what it proved, as authorize does. */
let warm: Authenticator;
let closeFeed: () => Promise<void>;
let sequence = 0;

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  foreign = await startTestIssuer();
  internalIssuers.add(foreign.url);
  await rotateSigningKeys(fixture.rotation);
  await startTokenFunction();
  trust = {
    pool: fixture.pool,
    store: parts.trustRules,
    serviceAccounts: parts.serviceAccounts,
    events: postgresEventRecorder({ clock, random, source: 'uos/test' }),
    clock,
    random,
    internalIssuers,
  };
});

afterAll(async () => {
  await served.close();
  await token.close();
  await closeFeed();
  await foreign.close();
  await fixture.close();
});

/** New accounts for each test: what one disables, another needs. */
beforeEach(async () => {
  acme = await seedOrganization(fixture.pool, {
    serviceAccounts: ['ci', 'gateway', 'worker', 'bystander'],
    roles: { acts: ['service_account:act_as'] },
    bindings: [
      { role: 'acts', subject: 'gateway' },
      { role: 'acts', subject: 'worker' },
    ],
  });
  other = await seedOrganization(fixture.pool, { serviceAccounts: ['ci', 'gateway'] });
  rule = await addRule(acme);
});

let parts: Awaited<ReturnType<typeof openTokenParts>>;

async function startTokenFunction(): Promise<void> {
  const { pool } = fixture;
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
  parts = await openTokenParts(fixture, clock, internalIssuers);
  token = await createTokenFunction({ ...parts, events, issuer, audience });
  const keys = openSigningKeySet({ pool, store: postgresSigningKeyStore, clock });
  const feed = openAuthorizationFeed({ url: fixture.database.appUrl, applicationName: 'test', clock });
  closeFeed = feed.close;
  warm = createAuthenticator({
    apiKeys: { pool, store: postgresApiKeyStore(pool), pepper: fixture.apiKeys.deps.pepper, clock },
    accessTokens: createAccessTokenVerifier({ keys, issuer, audience, clock }),
    trustRules: parts.trustRules,
    signingKeys: keys,
    facts: parts.facts,
    feed,
  });
}

async function addRule(
  organization: SeededOrganization,
  over: Partial<CreateTrustRuleInput> = {},
): Promise<TrustRule> {
  const created = await createTrustRule(trust, {
    organizationId: organization.organizationId,
    serviceAccountId: serviceAccountId.require(organization.idOf('ci')),
    name: `rule-${++sequence}`,
    issuer: foreign.url,
    audience: issuer,
    subjectPattern: 'repo:acme/app:*',
    requiredClaims: [{ pointer: '/repository_owner_id', value: '65' }],
    tokenAgeSecondsMax: 600,
    tokenUse: 'once',
    scopes: undefined,
    jwks: undefined,
    actor,
    ...over,
  });
  invariant(created.ok, `no rule: ${created.ok || created.failure.code}`);
  return created.value;
}

/** What GitHub Actions would send for a run of acme/app. */
function mint(claims: Record<string, unknown> = {}, more: { kid?: string; header?: object } = {}) {
  const good = {
    sub: 'repo:acme/app:main',
    aud: issuer,
    jti: `run-${++sequence}`,
    repository_owner_id: '65',
  };
  return foreign.mint({ claims: { ...good, ...claims }, ...(more as object) }, clock.now());
}

type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

async function ask(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(form),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

const exchanged = (subjectToken: string, form: Record<string, string> = {}) =>
  ask({
    grant_type: exchange,
    client_id: rule.id,
    subject_token: subjectToken,
    subject_token_type: type('jwt'),
    ...form,
  });

const tokenOf = ({ status, body }: Answer): string => {
  expect([status, body]).toMatchObject([200, { token_type: 'Bearer' }]);
  return String(body['access_token']);
};

async function proves(jwt: string) {
  const proven = await warm.authenticate(`Bearer ${jwt}`);
  return proven.ok ? proven.value : 'reason' in proven.failure ? proven.failure.reason : proven.failure.code;
}

/** A second is promised; a loaded machine gets more. */
const refusedSoon = (jwt: string, reason: string) =>
  expect.poll(() => proves(jwt), { timeout: 10_000, interval: 20 }).toBe(reason);

const eventsOf = (name: string, subject: string) =>
  fixture.eventsOf(name).then((events) => events.filter((event) => event.subject === subject));

const refusal = {
  [exchange]: { error: 'invalid_request', error_description: 'the token is not accepted' },
  [bearer]: { error: 'invalid_grant', error_description: 'grant request is invalid' },
};

describe('a workload', () => {
  test('exchanges its own token for a short one of its service account, in the shape of RFC 8693', async () => {
    const { status, headers, body } = await exchanged(await mint());
    expect(status).toBe(200);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      access_token: expect.any(String),
      issued_token_type: type('access_token'),
      token_type: 'Bearer',
      expires_in: 300,
    });
    const claims = decodeJwt(String(body['access_token']));
    expect(claims).toEqual({
      iss: issuer,
      aud: audience,
      sub: acme.idOf('ci'),
      client_id: rule.id,
      org_id: acme.organizationId,
      trust_rule_id: rule.id,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: Number(claims.iat) + 300,
    });
    expect(await proves(String(body['access_token']))).toMatchObject({
      organizationId: acme.organizationId,
      type: 'service_account',
      id: acme.idOf('ci'),
    });
  });

  test('may bear it as an assertion (RFC 7523), through a certified client too', async () => {
    const config = await client.discovery(new URL(issuer), rule.id, undefined, client.None(), {
      execute: [client.allowInsecureRequests],
    });
    const granted = await client.genericGrantRequest(config, bearer, { assertion: await mint() });
    expect(granted.expires_in).toBe(300);
    expect(granted['issued_token_type']).toBeUndefined();
    expect(decodeJwt(granted.access_token).sub).toBe(acme.idOf('ci'));
    const exchanged = await client.genericGrantRequest(config, exchange, {
      subject_token: await mint(),
      subject_token_type: type('id_token'),
      requested_token_type: type('jwt'),
      audience,
      resource: audience,
    });
    expect(exchanged['issued_token_type']).toBe(type('jwt'));
  });

  test('leaves a record: which rule, which run, which token', async () => {
    const { jti } = decodeJwt(tokenOf(await exchanged(await mint())));
    const [issued] = await eventsOf('uos.token.issued.v1', acme.idOf('ci'));
    expect(issued?.leaf.data).toMatchObject({
      actor: { type: 'service_account', id: acme.idOf('ci') },
      tokenId: jti,
      trustRuleId: rule.id,
      workload: 'repo:acme/app:main',
    });
  });

  test('gets no wider token than its rule allows, and may ask for a narrower one', async () => {
    rule = await addRule(acme, { scopes: ['document:*', 'invoice:read'] });
    const whole = await exchanged(await mint());
    expect(whole.body['scope']).toBe('document:* invoice:read');
    expect(await proves(tokenOf(whole))).toMatchObject({ scopes: ['document:*', 'invoice:read'] });
    const narrow = await exchanged(await mint(), { scope: 'document:read' });
    expect(await proves(tokenOf(narrow))).toMatchObject({ scopes: ['document:read'] });
    for (const [scope, beyond] of [
      ['invoice:*', 'invoice:*'],
      ['document:read api_key:issue', 'api_key:issue'],
      ['*:*', '*:*'],
      ['openid', 'openid'],
    ] as const) {
      const wider = await exchanged(await mint(), { scope });
      expect([wider.status, wider.body]).toMatchObject([400, { error: 'invalid_scope', scope: beyond }]);
    }
  });

  test('gets a token that ends with its own, skew and all', async () => {
    const seconds = () => Math.floor(clock.now().getTime() / 1000);
    const now = seconds();
    const { body } = await exchanged(await mint({ exp: now + 30 }));
    const endsAfter = now + 30 + 60;
    expect(body['expires_in']).toBeGreaterThanOrEqual(endsAfter - seconds() - 1);
    expect(body['expires_in']).toBeLessThanOrEqual(endsAfter - now);
  });

  test('gets a token that ends when its own is too old, however far its expiry', async () => {
    const now = Math.floor(clock.now().getTime() / 1000);
    const { body } = await exchanged(await mint({ iat: now - 590, exp: now + 3_600 }));
    expect(body['expires_in']).toBeGreaterThan(0);
    expect(body['expires_in']).toBeLessThanOrEqual(70);
  });

  test('of a cluster that cannot be reached is proven by keys that the rule brings', async () => {
    const iss = 'https://kubernetes.default.svc';
    const own = await generateKeyPair('EdDSA');
    const jwks = jsonWebKeySetSchema.parse({ keys: [await exportJWK(own.publicKey)] });
    rule = await addRule(acme, { issuer: iss, jwks });
    const stranger = await exchanged(await mint({ iss }));
    expect([stranger.status, stranger.body]).toEqual([400, refusal[exchange]]);
    const claims = { ...decodeJwt(await mint({ iss })), jti: 'signed-by-the-cluster' };
    const signed = await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(own.privateKey);
    expect(decodeJwt(tokenOf(await exchanged(signed))).sub).toBe(acme.idOf('ci'));
    expect(foreign.asked.filter((path) => path.includes('kubernetes'))).toEqual([]);
  });

  test('is found after its issuer has rotated', async () => {
    tokenOf(await exchanged(await mint()));
    await foreign.addKey('two');
    time.offsetSeconds += 61;
    tokenOf(await exchanged(await mint({}, { kid: 'two' })));
  });
});

describe('a foreign token is used once', () => {
  // Threat: a token read from a log or a stolen runner, used beside its owner.
  test('by exactly one of ten at the same moment, whichever grant', async () => {
    const once = await mint();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, place) =>
        place % 2 === 0 ? exchanged(once) : ask({ grant_type: bearer, client_id: rule.id, assertion: once }),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const { status, body } of answers.filter((answer) => answer.status !== 200)) {
      expect(status).toBe(400);
      expect(Object.values(refusal)).toContainEqual(body);
    }
    expect(await eventsOf('uos.token.issued.v1', acme.idOf('ci'))).toHaveLength(1);
    const refusals = await eventsOf('uos.token.refused.v1', rule.id);
    expect(refusals.map(({ leaf }) => leaf.data['reason'])).toEqual(['already_used']);
  });

  test('by another rule of the organization neither', async () => {
    const once = await mint();
    tokenOf(await exchanged(once));
    rule = await addRule(acme);
    expect((await exchanged(once)).status).toBe(400);
  });

  // Threat: a tenant whose rule has keys of its own choice uses up ids of the tokens of others.
  test('and not used up by another organization', async () => {
    const mine = rule;
    const once = await mint();
    rule = await addRule(other);
    tokenOf(await exchanged(once));
    rule = mine;
    tokenOf(await exchanged(once));
  });

  test('unless the rule says that its platform hands it out again', async () => {
    rule = await addRule(acme, { tokenUse: 'until_expiry' });
    const again = await mint();
    tokenOf(await exchanged(again));
    tokenOf(await exchanged(again));
  });

  test('and is not used up by a fault of ours', async () => {
    const once = await mint();
    faults.recording = new Error('the disk is full');
    try {
      expect((await exchanged(once)).status).toBe(503);
    } finally {
      faults.recording = undefined;
    }
    tokenOf(await exchanged(once));
  });

  const prune = (at: Date) =>
    pruneTokenUses({ pool: fixture.pool, store: { ...postgresTokenUseStore, now: async () => at } });
  const countUses = async () => Number((await fixture.sql('select count(*) as n from token_use'))[0]?.['n']);

  test('which is remembered for longer than it would be taken, and then forgotten', async () => {
    tokenOf(await exchanged(await mint()));
    const before = await countUses();
    await prune(secondsAfter(clock.now(), -3_600));
    expect(await countUses()).toBe(before);
    expect(await prune(secondsAfter(clock.now(), 2 * 3_600))).toBe(before);
    expect(await countUses()).toBe(0);
  });

  // Threat: its use is deleted by a clock that is ahead while an instance whose clock is behind still takes the token.
  test('in its last seconds too, when it is pruned by a clock that is ahead', async () => {
    const exp = Math.floor(clock.now().getTime() / 1000) + 30;
    const once = await mint({ exp });
    tokenOf(await exchanged(once));
    await prune(new Date((exp + 45 + 30) * 1_000));
    expect((await exchanged(once)).status).toBe(400);
    const refusals = await eventsOf('uos.token.refused.v1', rule.id);
    expect(refusals.map(({ leaf }) => leaf.data['reason'])).toEqual(['already_used']);
  });
});

describe('what is not accepted', () => {
  const now = () => Math.floor(clock.now().getTime() / 1000);

  test.each<[string, () => Record<string, unknown>, string]>([
    ['another issuer', () => ({ iss: 'https://evil.test' }), 'issuer'],
    ['another audience', () => ({ aud: 'https://other.test' }), 'audience'],
    ['an audience too many', () => ({ aud: [issuer, 'https://other.test'] }), 'audience'],
    ['another subject', () => ({ sub: 'repo:evil/app:main' }), 'subject'],
    ['another owner of the same name', () => ({ repository_owner_id: '66' }), 'required_claim'],
    ['no expiry', () => ({ exp: undefined }), 'claims'],
    ['no time of issue', () => ({ iat: undefined }), 'claims'],
    ['no subject', () => ({ sub: undefined }), 'claims'],
    ['an expiry that is past', () => ({ exp: now() - 61 }), 'expired'],
    ['an age of eleven minutes', () => ({ iat: now() - 661, exp: now() + 60 }), 'too_old'],
    ['a start that is to come', () => ({ nbf: now() + 3_600 }), 'not_yet_valid'],
  ])(
    'a token with %s is answered like every other, and the reason is in the trail',
    async (_what, claims, reason) => {
      const bad = await mint(claims());
      const byExchange = await exchanged(bad);
      expect([byExchange.status, byExchange.body]).toEqual([400, refusal[exchange]]);
      const byBearer = await ask({ grant_type: bearer, client_id: rule.id, assertion: bad });
      expect([byBearer.status, byBearer.body]).toEqual([400, refusal[bearer]]);
      const refused = await eventsOf('uos.token.refused.v1', rule.id);
      expect(refused.map(({ leaf }) => leaf.data)).toEqual([
        { actor: { type: 'system', id: 'token' }, reason },
      ]);
    },
  );

  test('a rule that is disabled, removed or never was, or whose account ended, answers alike', async () => {
    const rules = [rule];
    rules.push(await addRule(acme), await addRule(other));
    const [disabled, removed, ended] = rules;
    invariant(disabled && removed && ended, 'three rules');
    await disableTrustRule(trust, { ...disabled, actor });
    await removeTrustRule(trust, { ...removed, actor });
    await setAccount(other, 'ci', 'disabled');
    for (const id of [disabled.id, removed.id, ended.id, 'trust_01kaaaaaaaaaaaaaaaaaaaaaaa']) {
      const answer = await exchanged(await mint(), { client_id: id });
      expect([id, answer.status, answer.body]).toEqual([id, 400, refusal[exchange]]);
    }
  });

  // Threat: a rule of a tenant that would match another's workload is reached by the token alone.
  test('a token is held against the rule that is named, and against no other', async () => {
    const strangers = await addRule(other, { subjectPattern: 'repo:other/app:*' });
    expect((await exchanged(await mint(), { client_id: strangers.id })).status).toBe(400);
    const own = decodeJwt(tokenOf(await exchanged(await mint())));
    expect(own['org_id']).toBe(acme.organizationId);
  });

  test('while the issuer cannot be asked, the answer is "try again", and no token is used up', async () => {
    const lost = await startTestIssuer();
    await lost.close();
    internalIssuers.add(lost.url);
    rule = await addRule(acme, { issuer: lost.url });
    const answer = await exchanged(
      await lost.mint({ claims: { sub: 'repo:acme/app:x', aud: issuer } }, clock.now()),
    );
    expect([answer.status, answer.body['error']]).toEqual([503, 'temporarily_unavailable']);
    const refused = await eventsOf('uos.token.refused.v1', rule.id);
    expect(refused.map(({ leaf }) => leaf.data['reason'])).toEqual(['keys_unavailable:unreachable']);
  });

  test.each<[string, Record<string, string>, number, string]>([
    ['no type of the subject token', { subject_token_type: '' }, 400, 'invalid_request'],
    ['a SAML assertion', { subject_token_type: type('saml2') }, 400, 'invalid_request'],
    ['a foreign access token', { subject_token_type: type('access_token') }, 400, 'invalid_request'],
    ['a refresh token asked for', { requested_token_type: type('refresh_token') }, 400, 'invalid_request'],
    ['another resource', { resource: 'https://other.test' }, 400, 'invalid_target'],
    ['another audience', { audience: 'https://other.test' }, 400, 'invalid_target'],
    ['an actor', { actor_token: 'x', actor_token_type: type('jwt') }, 400, 'invalid_request'],
    ['an actor without its type', { actor_token: 'x' }, 400, 'invalid_request'],
    ['a secret', { client_secret: 'x' }, 401, 'invalid_client'],
    ['a client that is none', { client_id: 'nobody' }, 401, 'invalid_client'],
    ['an account without its key', { client_id: 'sa_01kaaaaaaaaaaaaaaaaaaaaaaa' }, 401, 'invalid_client'],
    // RFC 6749 section 5.2.
    ['a grant that is not its own', { grant_type: 'client_credentials' }, 400, 'unauthorized_client'],
    ['a grant that there is not', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('a request with %s', async (_what, form, status, error) => {
    const answer = await exchanged(await mint(), form);
    expect([answer.status, answer.body['error']]).toEqual([status, error]);
  });

  test('a request with a parameter twice', async () => {
    const body = `grant_type=${encodeURIComponent(exchange)}&client_id=${rule.id}&subject_token=a&subject_token=b`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await fetch(`${issuer}/token`, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: 'invalid_request' }]);
  });
});

describe('an issued token is refused by every warm instance', () => {
  test.each<[string, () => Promise<unknown>, string]>([
    ['once its rule is disabled', () => disableTrustRule(trust, { ...rule, actor }), 'trust_rule_revoked'],
    ['once its rule is removed', () => removeTrustRule(trust, { ...rule, actor }), 'trust_rule_revoked'],
    ['once its account is disabled', () => setAccount(acme, 'ci', 'disabled'), 'account_disabled'],
  ])('%s', async (_what, end, reason) => {
    const jwt = tokenOf(await exchanged(await mint()));
    expect(await proves(jwt)).toMatchObject({ id: acme.idOf('ci') });
    await end();
    await refusedSoon(jwt, reason);
  });

  test('and taken again once its rule is enabled', async () => {
    const jwt = tokenOf(await exchanged(await mint()));
    await disableTrustRule(trust, { ...rule, actor });
    await refusedSoon(jwt, 'trust_rule_revoked');
    await enableTrustRule(trust, { ...rule, actor });
    await expect.poll(() => proves(jwt), { timeout: 10_000 }).toMatchObject({ id: acme.idOf('ci') });
  });
});

describe('delegation', () => {
  const basic = ({ key, text }: IssuedApiKey) => ({
    authorization: `Basic ${Buffer.from(`${key.owner.id}:${encodeURIComponent(text)}`).toString('base64')}`,
  });
  const keyOf = (name: string, organization = acme) => fixture.apiKeys.issue(organization, name);
  const ownToken = async (key: IssuedApiKey, scope = '') =>
    tokenOf(await ask({ grant_type: 'client_credentials', scope }, basic(key)));
  const delegate = (key: IssuedApiKey, subjectToken: string, form: Record<string, string> = {}) =>
    ask(
      {
        grant_type: exchange,
        subject_token: subjectToken,
        subject_token_type: type('access_token'),
        ...form,
      },
      basic(key),
    );
  // Threat: got inside the networks of a key, carried outside, and there used to make a key without them.
  test('rests on tokens that are known by the networks and the end of the key behind them', async () => {
    const expiresAt = new Date('2098-01-01T00:00:00Z');
    const key = await fixture.apiKeys.issue(acme, 'ci', { expiresAt });
    const networks = ['127.0.0.0/8', '::1/128'];
    await fixture.sql('update api_key set allowed_networks = $2 where key_id = $1', [key.key.id, networks]);
    expect(await proves(await ownToken(key))).toMatchObject({ allowedNetworks: networks, expiresAt });
    const principal = await proves(await ownToken(await keyOf('ci')));
    expect(Object.keys(principal)).not.toContain('allowedNetworks');
    expect(Object.keys(principal)).not.toContain('expiresAt');
  });

  test('is for whoever may act as what a team owns, and for that alone', async () => {
    const team = await seedOrganization(fixture.pool, {
      serviceAccounts: ['ci', 'gateway', 'bystander'],
      teams: { core: {} },
      roles: { acts: ['service_account:act_as'] },
      bindings: [{ role: 'acts', subject: 'gateway', at: { team: 'core' } }],
    });
    const ofTeam = 'update service_account set owner_team_id = $2 where service_account_id = $1';
    await fixture.sql(ofTeam, [team.idOf('ci'), team.idOf('core')]);
    const gateway = await keyOf('gateway', team);
    const owned = await delegate(gateway, await ownToken(await keyOf('ci', team)));
    expect(owned.status).toBe(200);
    const foreignAccount = await delegate(gateway, await ownToken(await keyOf('bystander', team)));
    expect(foreignAccount.body).toEqual(refusal[exchange]);
  });

  test('gives who may act as an account a token of that account that names both', async () => {
    const gateway = await keyOf('gateway');
    const ci = await keyOf('ci');
    const answer = await delegate(gateway, await ownToken(ci), {
      actor_token: await ownToken(gateway),
      actor_token_type: type('access_token'),
    });
    expect(answer.body['issued_token_type']).toBe(type('access_token'));
    const jwt = tokenOf(answer);
    expect(decodeJwt(jwt)).toMatchObject({
      sub: acme.idOf('ci'),
      client_id: acme.idOf('gateway'),
      org_id: acme.organizationId,
      api_key_id: ci.key.id,
      act: { sub: acme.idOf('gateway'), api_key_id: gateway.key.id },
    });
    const principal = await proves(jwt);
    expect(principal).toMatchObject({ id: acme.idOf('ci'), actedBy: [acme.idOf('gateway')] });
    invariant(typeof principal === 'object', 'proven');
    // What it changes is recorded with who really called.
    expect(toActor(principal)).toEqual({
      type: 'service_account',
      id: acme.idOf('ci'),
      actedBy: [acme.idOf('gateway')],
    });
    const issued = await eventsOf('uos.token.issued.v1', acme.idOf('ci'));
    expect(issued.at(-1)?.leaf.data).toMatchObject({
      actor: { type: 'service_account', id: acme.idOf('gateway') },
      actors: [acme.idOf('gateway')],
      tokenId: decodeJwt(jwt).jti,
    });
  });

  test('keeps who acted before, and ends at three', async () => {
    const [gateway, worker] = [await keyOf('gateway'), await keyOf('worker')];
    let jwt = tokenOf(await delegate(gateway, await ownToken(await keyOf('ci'))));
    jwt = tokenOf(await delegate(worker, jwt));
    expect(decodeJwt(jwt)['act']).toMatchObject({
      sub: acme.idOf('worker'),
      act: { sub: acme.idOf('gateway') },
    });
    jwt = tokenOf(await delegate(gateway, jwt));
    expect(await proves(jwt)).toMatchObject({ id: acme.idOf('ci') });
    expect((await delegate(worker, jwt)).body).toEqual(refusal[exchange]);
  });

  test('also of the token of a workload, which ends with its rule', async () => {
    const workload = tokenOf(await exchanged(await mint()));
    const jwt = tokenOf(await delegate(await keyOf('gateway'), workload));
    expect(decodeJwt(jwt)).toMatchObject({ trust_rule_id: rule.id, client_id: acme.idOf('gateway') });
    expect(await proves(jwt)).toMatchObject({ id: acme.idOf('ci') });
    await disableTrustRule(trust, { ...rule, actor });
    await refusedSoon(jwt, 'trust_rule_revoked');
  });

  test('never widens or lengthens', async () => {
    const gateway = await keyOf('gateway');
    const narrow = await ownToken(await keyOf('ci'), 'document:read');
    const jwt = tokenOf(await delegate(gateway, narrow));
    expect(await proves(jwt)).toMatchObject({ scopes: ['document:read'] });
    expect(Number(decodeJwt(jwt).exp)).toBeLessThanOrEqual(Number(decodeJwt(narrow).exp));
    const wider = await delegate(gateway, narrow, { scope: 'document:*' });
    expect([wider.status, wider.body['error']]).toEqual([400, 'invalid_scope']);
  });

  test('is refused without the permission, across organizations, and of what is not good', async () => {
    const gateway = await keyOf('gateway');
    const ci = await keyOf('ci');
    const good = await ownToken(ci);
    const stranger = await keyOf('gateway', other);
    const revoked = await keyOf('ci');
    const dead = await ownToken(revoked);
    await revoke(revoked);
    const attempts: [string, Answer][] = [
      ['without the permission', await delegate(await keyOf('bystander'), good)],
      ['across organizations', await delegate(stranger, good)],
      ['of another organization', await delegate(gateway, await ownToken(await keyOf('ci', other)))],
      ['of its own token', await delegate(gateway, await ownToken(gateway))],
      ['of a revoked key', await delegate(gateway, dead)],
      ['of a changed token', await delegate(gateway, `${good.slice(0, -2)}AA`)],
      ['of a foreign token', await delegate(gateway, await mint())],
      [
        'with somebody else as actor',
        await delegate(gateway, good, {
          actor_token: await ownToken(await keyOf('worker')),
          actor_token_type: type('jwt'),
        }),
      ],
    ];
    for (const [what, { status, body }] of attempts)
      expect([what, status, body]).toEqual([what, 400, refusal[exchange]]);
    const wrongKey = await ask(
      { grant_type: exchange, subject_token: good, subject_token_type: type('jwt') },
      basic({ ...gateway, text: ci.text }),
    );
    expect(wrongKey.status).toBe(401);
  });

  test.each<[string, (gateway: IssuedApiKey, ci: IssuedApiKey) => Promise<unknown>, string]>([
    ['the key of who acts is revoked', (gateway) => revoke(gateway), 'actor_revoked'],
    ['the account of who acts is disabled', () => setAccount(acme, 'gateway', 'disabled'), 'actor_revoked'],
    ['the key of the subject is revoked', (_gateway, ci) => revoke(ci), 'api_key_revoked'],
  ])('ends everywhere once %s', async (_what, end, reason) => {
    const [gateway, ci] = [await keyOf('gateway'), await keyOf('ci')];
    const jwt = tokenOf(await delegate(gateway, await ownToken(ci)));
    expect(await proves(jwt)).toMatchObject({ id: acme.idOf('ci') });
    await end(gateway, ci);
    await refusedSoon(jwt, reason);
  });
});

async function setAccount(organization: SeededOrganization, name: string, status: 'disabled' | 'active') {
  await withOrg(fixture.pool, organization.organizationId, (tx) =>
    tx
      .updateTable('service_account')
      .set({ status })
      .where('service_account_id', '=', organization.idOf(name))
      .execute(),
  );
}

async function revoke({ key }: IssuedApiKey): Promise<void> {
  const revoked = await revokeApiKey(fixture.apiKeys.deps, {
    organizationId: key.organizationId,
    keyId: key.id,
    actor,
  });
  expect(revoked.ok).toBe(true);
}
