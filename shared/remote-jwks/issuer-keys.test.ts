import { type CryptoKey, exportJWK, generateKeyPair, jwtVerify, SignJWT } from 'jose';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fail, ok, secondsAfter } from '../kernel/index.ts';
import { createIssuerKeys, type IssuerKeys } from './issuer-keys.ts';
import { isIssuerUrl } from './issuer-url.ts';
import type { FetchRemoteJson } from './remote-json.ts';

const issuer = 'https://issuer.test';
const pairs: Record<string, { publicKey: CryptoKey; privateKey: CryptoKey }> = {};
const publicJwks: Record<string, object> = {};

/** What the issuer publishes now, and every address it was asked at. */
let site: {
  kids: string[];
  issuer: string;
  jwksUri: string;
  maxAge: number | undefined;
  isDown: boolean;
  extra: object[];
};
let asked: string[];
let now: Date;
let keys: IssuerKeys;

beforeAll(async () => {
  for (const kid of ['one', 'two']) {
    const pair = await generateKeyPair('ES256');
    pairs[kid] = pair;
    publicJwks[kid] = { ...(await exportJWK(pair.publicKey)), kid, alg: 'ES256' };
  }
});

beforeEach(() => {
  const jwksUri = `${issuer}/keys`;
  site = { kids: ['one'], issuer, jwksUri, maxAge: undefined, isDown: false, extra: [] };
  asked = [];
  now = new Date('2026-01-01T00:00:00Z');
  keys = createIssuerKeys({ fetchJson, internalIssuers: new Set(), clock: { now: () => now } });
});

const fetchJson: FetchRemoteJson = async (url) => {
  asked.push(url);
  await Promise.resolve();
  if (site.isDown) return fail({ code: 'remote_json.unavailable', reason: 'unreachable' });
  const isDiscovery = url.endsWith('/.well-known/openid-configuration');
  const jwks = { keys: [...site.kids.map((kid) => publicJwks[kid]), ...site.extra] };
  const value = isDiscovery ? { issuer: site.issuer, jwks_uri: site.jwksUri } : jwks;
  return ok({ value, maxAgeSeconds: site.maxAge });
};

const pass = (seconds: number) => {
  now = secondsAfter(now, seconds);
};

const find = (of: string, kid?: string, organizationId = 'org_a') =>
  keys.find({ issuer: of, kid, organizationId });

/** Whether a token of the key verifies with what is found. */
async function verifies(kid: string): Promise<boolean> {
  const found = await find(issuer, kid);
  const pair = pairs[kid];
  if (!found.ok || pair === undefined) return false;
  const jwt = await new SignJWT({}).setProtectedHeader({ alg: 'ES256', kid }).sign(pair.privateKey);
  return jwtVerify(jwt, found.value).then(
    () => true,
    () => false,
  );
}

const discovery = `${issuer}/.well-known/openid-configuration`;

test('finds the keys through the discovery document, once for many', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => verifies('one')));
  expect(all).toEqual(Array.from({ length: 20 }, () => true));
  expect(asked).toEqual([discovery, `${issuer}/keys`]);
});

// RFC 7517 section 5: an issuer that adds keys of tomorrow goes on being believed for those of today.
test.each<[string, object]>([
  ['another type', { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AA', kid: 'tomorrow' }],
  ['no type', { kid: 'none' }],
  ['no coordinates', { kty: 'EC', crv: 'P-256', kid: 'half' }],
  ['a name of any length', { kty: 'RSA', n: 'AA', e: 'AQAB', kid: 'x'.repeat(300) }],
])('a key of %s beside a good one is ignored', async (_what, key) => {
  site.extra.push(key);
  expect(await verifies('one')).toBe(true);
});

describe('an unknown key', () => {
  test('is looked for again, so that a rotation is seen', async () => {
    expect(await verifies('one')).toBe(true);
    site.kids = ['one', 'two'];
    pass(61);
    expect(await verifies('two')).toBe(true);
    expect(asked).toHaveLength(4);
  });

  // Threat: tokens with invented key ids make us ask the issuer for each.
  test('is looked for once a minute at most, however many are named', async () => {
    await verifies('one');
    for (let place = 0; place < 50; place++) await find(issuer, `invented-${place}`);
    expect(asked).toHaveLength(2);
    pass(61);
    for (let place = 0; place < 50; place++) await find(issuer, `invented-${place}`);
    expect(asked).toHaveLength(4);
    expect(await verifies('one')).toBe(true);
  });
});

describe('what was fetched is kept', () => {
  test.each([
    ['10 minutes when the issuer says nothing', undefined, 600],
    ['5 minutes at least', 1, 300],
    ['as long as the issuer says', 3_600, 3_600],
    ['24 hours at most', 31_536_000, 86_400],
  ])('for %s', async (_what, maxAge, seconds) => {
    site.maxAge = maxAge;
    await verifies('one');
    pass(seconds - 1);
    await verifies('one');
    expect(asked).toHaveLength(2);
    pass(1);
    await verifies('one');
    expect(asked).toHaveLength(4);
  });

  test('for an hour more while the issuer is away, and no longer', async () => {
    await verifies('one');
    site.isDown = true;
    pass(600);
    expect(await verifies('one')).toBe(true);
    expect(keys.held({ issuer, kid: 'one' })).toBeUndefined();
    expect(keys.believed(issuer)).toBeDefined();
    pass(3_600);
    expect(await verifies('one')).toBe(false);
    expect(keys.believed(issuer)).toBeUndefined();
  });

  test('and a key that is withdrawn is gone with the next fetch', async () => {
    await verifies('one');
    site.kids = ['two'];
    pass(600);
    expect(await verifies('one')).toBe(false);
  });
});

describe('a failure', () => {
  test('is remembered for 15 seconds', async () => {
    site.isDown = true;
    for (let place = 0; place < 10; place++) expect(await verifies('one')).toBe(false);
    expect(asked).toEqual([discovery]);
    site.isDown = false;
    pass(15);
    expect(await verifies('one')).toBe(true);
  });

  // Threat: a discovery document that names another issuer lets one speak for the other.
  test.each([
    [
      'a document of another issuer',
      () => Object.assign(site, { issuer: 'https://evil.test' }),
      'other_issuer',
    ],
    ['a document of a spelling of it', () => Object.assign(site, { issuer: `${issuer}/` }), 'other_issuer'],
    ['a private key', () => site.extra.push({ ...publicJwks['two'], d: 'AA' }), 'not_a_key_set'],
    ['a private key of a type to come', () => site.extra.push({ kty: 'AKP', priv: 'AA' }), 'not_a_key_set'],
    ['a symmetric key', () => site.extra.push({ kty: 'oct', k: 'AA' }), 'not_a_key_set'],
    ['more than 50 keys', () => site.extra.push(...Array(50).fill(publicJwks['two'])), 'not_a_key_set'],
    ['no key', () => Object.assign(site, { kids: [] }), 'not_a_key_set'],
  ])('is %s', async (_what, spoil, reason) => {
    spoil();
    expect(await find(issuer, 'one')).toEqual({
      ok: false,
      failure: { code: 'issuer_keys.unavailable', reason },
    });
  });
});

const discoveriesAsked = () => asked.filter((url) => url.endsWith('openid-configuration')).length;

// Threat: rules for ever more issuers make us a source of requests.
describe('fetches', () => {
  test('of all issuers together are at most ten a second', async () => {
    for (let place = 0; place < 30; place++)
      await find(`https://${place}.issuer.test`, undefined, `org_${place}`);
    expect(discoveriesAsked()).toBe(10);
    expect(await find('https://late.issuer.test')).toMatchObject({ failure: { reason: 'too_many_fetches' } });
  });

  test('of one organization are at most five in ten seconds', async () => {
    for (let place = 0; place < 10; place++) await find(`https://${place}.issuer.test`);
    expect(discoveriesAsked()).toBe(5);
    pass(10);
    for (let place = 10; place < 20; place++) await find(`https://${place}.issuer.test`);
    expect(discoveriesAsked()).toBe(10);
  });

  // Threat: one tenant's failing issuers use up what another tenant's first token needs.
  test('of one organization leave room for those of another', async () => {
    site.isDown = true;
    for (let place = 0; place < 10; place++) await find(`https://${place}.issuer.test`, undefined, 'org_bad');
    site.isDown = false;
    expect(await find(issuer, 'one', 'org_good')).toMatchObject({ ok: true });
  });

  test('that were not made are made as soon as there is room', async () => {
    for (let place = 0; place < 10; place++)
      await find(`https://${place}.issuer.test`, undefined, `org_${place}`);
    expect(await verifies('one')).toBe(false);
    pass(1);
    expect(await verifies('one')).toBe(true);
  });
});

// Threat: a tenant's many issuers push the keys of everybody's issuer out of memory.
test('keys that are held stay, however many issuers fail', async () => {
  await verifies('one');
  site.isDown = true;
  asked = [];
  for (let place = 0; place < 600; place++) {
    if (place % 10 === 0) pass(1);
    await find(`https://${place}.issuer.test`, undefined, `org_${place}`);
  }
  expect(discoveriesAsked()).toBe(600);
  expect(keys.held({ issuer, kid: 'one' })).toBeDefined();
  expect(await verifies('one')).toBe(true);
  await find('https://599.issuer.test', undefined, 'org_later');
  expect(discoveriesAsked()).toBe(600);
});

test('an internal issuer may name keys at its own origin only', async () => {
  const internal: [string, boolean | undefined][] = [];
  const jwksUri = 'http://elsewhere.test/keys';
  const internalIssuers = new Set(['http://127.0.0.1:1']);
  const fetchInternal: FetchRemoteJson = async (url, options) => {
    internal.push([url, options?.isInternal]);
    return ok({ value: { issuer: 'http://127.0.0.1:1', jwks_uri: jwksUri }, maxAgeSeconds: undefined });
  };
  const internalKeys = createIssuerKeys({
    fetchJson: fetchInternal,
    internalIssuers,
    clock: { now: () => now },
  });
  await internalKeys.find({ issuer: 'http://127.0.0.1:1', kid: undefined, organizationId: 'org_a' });
  expect(internal).toEqual([
    ['http://127.0.0.1:1/.well-known/openid-configuration', true],
    [jwksUri, false],
  ]);
});

test.each([
  ['https://issuer.test', true],
  ['https://issuer.test/', true],
  ['https://issuer.test/tenant/v2.0', true],
  ['http://issuer.test', false],
  ['https://ISSUER.test', false],
  ['https://issuer.test:443', false],
  ['https://issuer.test/a/../b', false],
  ['https://issuer.test?x=1', false],
  ['https://issuer.test/#', false],
  ['https://user:pw@issuer.test', false],
  [`https://issuer.test/${'x'.repeat(300)}`, false],
  ['issuer.test', false],
])('%s is an issuer in its one spelling: %s', (text, is) => {
  expect(isIssuerUrl(text)).toBe(is);
});
