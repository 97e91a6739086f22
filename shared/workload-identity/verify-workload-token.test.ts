import { createHmac, generateKeyPairSync } from 'node:crypto';
import { type CryptoKey, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { fail, secondsAfter, systemClock, systemRandom, toNumericDate } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { type JsonWebKeySet, jsonWebKeySetSchema } from '../remote-jwks/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import type { TrustRule } from './trust-rule.ts';
import { trustRuleId } from './trust-rule-id.ts';
import { verifyWorkloadToken } from './verify-workload-token.ts';

const ids = { clock: systemClock, random: systemRandom };
const now = new Date('2026-01-01T12:00:00Z');
const seconds = toNumericDate(now);
const keys: Record<string, CryptoKey> = {};
let jwks: JsonWebKeySet;
let rule: TrustRule;

beforeAll(async () => {
  const published: object[] = [];
  for (const alg of ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'RS512']) {
    const pair = await generateKeyPair(alg);
    keys[alg] = pair.privateKey;
    published.push({ ...(await exportJWK(pair.publicKey)), kid: alg });
  }
  jwks = jsonWebKeySetSchema.parse({ keys: published });
  rule = {
    organizationId: organizationId.create(ids),
    id: trustRuleId.create(ids),
    serviceAccountId: serviceAccountId.create(ids),
    name: 'ci',
    issuer: 'https://cluster.example',
    audience: 'https://id.example',
    subjectPattern: 'repo:acme/app:*',
    requiredClaims: [{ pointer: '/repository_id', value: '7' }],
    tokenAgeSecondsMax: 600,
    tokenUse: 'once',
    scopes: undefined,
    jwks,
    status: 'active',
    createdAt: now,
    createdBy: 'test',
    updatedAt: now,
  };
});

type Token = { claims?: Record<string, unknown>; header?: Record<string, unknown>; alg?: string };

const good = {
  iss: 'https://cluster.example',
  aud: 'https://id.example',
  sub: 'repo:acme/app:main',
  iat: seconds - 10,
  exp: seconds + 290,
  jti: 'one',
  repository_id: '7',
};

async function mint({ claims = {}, header = {}, alg = 'ES256' }: Token = {}): Promise<string> {
  const key = keys[alg];
  if (key === undefined) throw new Error(`no key for ${alg}`);
  return new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg, kid: alg, ...header }).sign(key);
}

function verify(token: string, over: Partial<TrustRule> = {}) {
  const issuerKeys = {
    find: async () => fail({ code: 'issuer_keys.unavailable', reason: 'unreachable' } as const),
  };
  return verifyWorkloadToken({ issuerKeys, clock: { now: () => now } }, { ...rule, ...over }, token);
}

const refused = (reason: string) => ({ ok: false, failure: { code: 'workload_token.refused', reason } });

describe('a token', () => {
  test.each(['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA'])('signed with %s is taken', async (alg) => {
    expect(await verify(await mint({ alg }))).toMatchObject({
      ok: true,
      value: { subject: 'repo:acme/app:main', acceptedUntil: secondsAfter(now, 350) },
    });
  });

  test.each<[string, Token]>([
    ['typ JWT', { header: { typ: 'JWT' } }],
    ['one audience in a list', { claims: { aud: ['https://id.example'] } }],
    ['no id of its own', { claims: { jti: undefined } }],
    ['an expiry within the skew of 60 s', { claims: { exp: seconds - 59 } }],
    ['a start within the skew', { claims: { nbf: seconds + 59 } }],
    ['an issue within the skew', { claims: { iat: seconds + 59 } }],
    ['its age within the skew', { claims: { iat: seconds - 659 } }],
    ['an expiry in a year', { claims: { exp: seconds + 366 * 86_400 } }],
  ])('with %s is taken', async (_what, token) => {
    expect(await verify(await mint(token))).toMatchObject({ ok: true });
  });

  // RFC 7523 section 3; RFC 8725 sections 3.1, 3.8, 3.9 and 3.11. Each is one thing away from a good token.
  test.each<[string, Token, string]>([
    ['of another issuer', { claims: { iss: 'https://evil.example' } }, 'issuer'],
    ['of a spelling of the issuer', { claims: { iss: 'https://cluster.example/' } }, 'issuer'],
    ['without an issuer', { claims: { iss: undefined } }, 'issuer'],
    ['for another audience', { claims: { aud: 'https://other.example' } }, 'audience'],
    [
      'for another audience too',
      { claims: { aud: ['https://id.example', 'https://b.example'] } },
      'audience',
    ],
    ['for no audience', { claims: { aud: undefined } }, 'audience'],
    ['without a subject', { claims: { sub: undefined } }, 'claims'],
    ['of another subject', { claims: { sub: 'repo:acme/other:main' } }, 'subject'],
    ['of an endless subject', { claims: { sub: 'x'.repeat(2_049) } }, 'claims'],
    ['without an expiry', { claims: { exp: undefined } }, 'claims'],
    ['without the time of its issue', { claims: { iat: undefined } }, 'claims'],
    ['that has expired', { claims: { exp: seconds - 60 } }, 'expired'],
    ['that is too old, whatever its expiry', { claims: { iat: seconds - 661 } }, 'too_old'],
    ['that never expires', { claims: { exp: seconds + 366 * 86_400 + 1 } }, 'expiry_too_far'],
    ['that expires beyond all dates', { claims: { exp: 1e300 } }, 'expiry_too_far'],
    ['from the future', { claims: { iat: seconds + 61 } }, 'not_yet_valid'],
    ['not to be used yet', { claims: { nbf: seconds + 61 } }, 'not_yet_valid'],
    ['whose expiry is text', { claims: { exp: String(seconds + 290) } }, 'claims'],
    ['whose id is no text', { claims: { jti: 7 } }, 'claims'],
    ['of another repository', { claims: { repository_id: '8' } }, 'required_claim'],
    ['without the repository', { claims: { repository_id: undefined } }, 'required_claim'],
    ['that is an access token', { header: { typ: 'at+jwt' } }, 'type'],
    ['that is a logout token', { header: { typ: 'logout+jwt' } }, 'type'],
    ['with an algorithm outside the list', { alg: 'RS512' }, 'algorithm'],
    ['of an unknown key', { header: { kid: 'unknown' } }, 'unknown_key'],
    ['naming a key of another type', { header: { kid: 'RS256' } }, 'unknown_key'],
  ])('%s is refused', async (_what, token, reason) => {
    expect(await verify(await mint(token))).toEqual(refused(reason));
  });

  test('with a changed claim, or with another signature, is refused', async () => {
    const [header = '', , signature = ''] = (await mint()).split('.');
    const claims = Buffer.from(JSON.stringify({ ...good, sub: 'repo:acme/app:evil' })).toString('base64url');
    expect(await verify([header, claims, signature].join('.'))).toEqual(refused('signature'));
  });

  // Threat: the public key taken for an HMAC secret, and the signature left out (RFC 8725 section 2.1).
  test.each(['HS256', 'none'])('with the algorithm %s is refused', async (alg) => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const signed = `${part({ alg, kid: 'RS256' })}.${part(good)}`;
    const mac = createHmac('sha256', JSON.stringify(jwks.keys[0])).update(signed).digest('base64url');
    expect(await verify(`${signed}.${alg === 'none' ? '' : mac}`)).toEqual(refused('algorithm'));
  });

  test.each(['', 'a', 'a.b.c', 'a.b.c.d.e', '..', `${'x'.repeat(16_384)}.y.z`])(
    'that is none is refused (%#)',
    async (token) => expect(await verify(token)).toEqual(refused('malformed')),
  );

  // A rule's keys may be older than what is refused at its making.
  test.each<[string, string, () => object]>([
    ['too short', 'RS256', () => shortKey()],
    ['off its curve', 'ES256', () => ({ kty: 'EC', crv: 'P-256', x: zeros, y: zeros })],
  ])('is refused, and not tried again for ever, by a key that is %s', async (_what, alg, key) => {
    const weak = { keys: [{ ...key(), kid: alg }] } as JsonWebKeySet;
    expect(await verify(await mint({ alg }), { jwks: weak })).toEqual(refused('unknown_key'));
  });
  const zeros = Buffer.alloc(32).toString('base64url');
  const shortKey = () =>
    generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey.export({ format: 'jwk' });

  test('is refused while the keys of its issuer cannot be had', async () => {
    expect(await verify(await mint(), { jwks: undefined })).toEqual(refused('keys_unavailable:unreachable'));
  });
});

// Rules may differ in the age: what is used up under one stays so for as long as another could take it.
test('is good until its age ends, if that is before its expiry, and its use is remembered for longer', async () => {
  const old = { claims: { iat: seconds - 590, exp: seconds + 3_600 } };
  expect(await verify(await mint(old))).toMatchObject({
    value: { acceptedUntil: secondsAfter(now, 70), usedUntil: secondsAfter(now, 3_660) },
  });
  const endless = { claims: { exp: seconds + 300 * 86_400 } };
  expect(await verify(await mint(endless))).toMatchObject({
    value: { acceptedUntil: secondsAfter(now, 650), usedUntil: secondsAfter(now, 86_450) },
  });
});

describe('what may be used once', () => {
  const digest = async (token: Token, over: Partial<TrustRule> = {}) => {
    const verified = await verify(await mint(token), over);
    return verified.ok ? Buffer.from(verified.value.useDigest).toString('hex') : verified.failure.reason;
  };

  test('is the id, whatever else a token says', async () => {
    expect(await digest({ claims: { extra: 1 } })).toBe(await digest({ claims: { extra: 2 } }));
    expect(await digest({ claims: { jti: 'two' } })).not.toBe(await digest({}));
  });

  // ES256 signatures are random: two of one content are two texts.
  test('is what was signed when there is no id', async () => {
    const anonymous = { claims: { jti: undefined } };
    expect(await mint(anonymous)).not.toBe(await mint(anonymous));
    expect(await digest(anonymous)).toBe(await digest(anonymous));
  });

  // Threat: another tenant's rule with keys of its own choice uses up ids of tokens that are meant for us.
  test('is an organization\u2019s own', async () => {
    expect(await digest({})).not.toBe(await digest({}, { organizationId: organizationId.create(ids) }));
  });
});
