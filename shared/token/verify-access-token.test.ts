import { createHmac, createPrivateKey, createPublicKey } from 'node:crypto';
import { CompactEncrypt, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { apiKeyId } from '../api-key/index.ts';
import { type Clock, secondsAfter, systemRandom, toNumericDate } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { serviceAccountId } from '../service-account/index.ts';
import {
  createSigningKeyPair,
  type SigningKeyPair,
  type SigningKeySet,
  type VerifyingKey,
} from '../signing-key/index.ts';
import { trustRuleId } from '../workload-identity/index.ts';
import { createAccessTokenVerifier } from './access-token-verifier.ts';
import { verifyAccessToken } from './verify-access-token.ts';

const start = new Date('2030-01-01T00:00:00Z');
let now = start;
const clock: Clock = { now: () => now };
const issuer = 'https://issuer.example';
const audience = 'https://api.example';

const current = createSigningKeyPair();
const retired = createSigningKeyPair();
const foreign = createSigningKeyPair();

let shown: readonly VerifyingKey[];
let lookups: number;
const keys: SigningKeySet = {
  current: async () => shown,
  find: async (keyId) => {
    lookups += 1;
    return shown.find((key) => key.keyId === keyId);
  },
  invalidate: () => undefined,
  isLoaded: () => true,
};
const deps = { keys, issuer, audience, clock };

beforeEach(() => {
  now = start;
  lookups = 0;
  shown = [verifying(current), { ...verifying(retired), verifyUntil: start }];
});

function verifying({ keyId, publicJwk }: SigningKeyPair): VerifyingKey {
  return {
    keyId,
    publicJwk,
    algorithm: 'ES256',
    publishedAt: start,
    activeFrom: start,
    verifyUntil: undefined,
    publicKey: createPublicKey({ key: { ...publicJwk }, format: 'jwk' }),
  };
}

const ids = { clock, random: systemRandom };
const account = serviceAccountId.create(ids);
const good: JWTPayload = {
  iss: issuer,
  aud: audience,
  sub: account,
  client_id: account,
  org_id: organizationId.create(ids),
  api_key_id: apiKeyId.create(ids),
  jti: 'token-1',
  iat: toNumericDate(start),
  exp: toNumericDate(start) + 300,
};

const rule = trustRuleId.create(ids);
const actor = () => ({ sub: serviceAccountId.create(ids), api_key_id: apiKeyId.create(ids) });

function chain(length: number) {
  const act = Array.from({ length }, actor).reduceRight<object | undefined>(
    (inner, outer) => (inner === undefined ? outer : { ...outer, act: inner }),
    undefined,
  );
  return { client_id: Reflect.get(act ?? {}, 'sub'), act };
}

const goodHeader = { alg: 'ES256', typ: 'at+jwt', kid: current.keyId };
const privateKeyOf = (pair: SigningKeyPair) =>
  createPrivateKey({ key: { ...pair.privateJwk }, format: 'jwk' });
const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

function sign(claims: Record<string, unknown> = {}, header: object = {}, pair = current): Promise<string> {
  return new SignJWT({ ...good, ...claims })
    .setProtectedHeader({ ...goodHeader, ...header })
    .sign(privateKeyOf(pair));
}

async function reasonFor(jwt: string): Promise<string> {
  const verified = await verifyAccessToken(deps, jwt);
  return verified.ok ? 'accepted' : verified.failure.reason;
}

async function tampered(): Promise<string> {
  const [header, , signature] = (await sign()).split('.');
  return [header, base64url({ ...good, org_id: organizationId.create(ids) }), signature].join('.');
}

/** Threat: the public key, which everybody has, used as an HMAC secret (CVE-2015-9235). */
async function signedWithPublicKey(): Promise<string> {
  const pem = createPublicKey({ key: { ...current.publicJwk }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString();
  const input = `${base64url({ ...goodHeader, alg: 'HS256' })}.${base64url(good)}`;
  return `${input}.${createHmac('sha256', pem).update(input).digest('base64url')}`;
}

async function signedWithRsa(): Promise<string> {
  const { privateKey } = await generateKeyPair('RS256');
  return new SignJWT(good).setProtectedHeader({ ...goodHeader, alg: 'RS256' }).sign(privateKey);
}

async function encrypted(): Promise<string> {
  return new CompactEncrypt(Buffer.from(await sign()))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM' })
    .encrypt(createPublicKey({ key: { ...current.publicJwk }, format: 'jwk' }));
}

describe('an access token', () => {
  test('of ours is accepted with what it says', async () => {
    expect(await verifyAccessToken(deps, await sign({ scope: 'a b' }))).toEqual({
      ok: true,
      value: {
        issuer,
        audience,
        subject: account,
        organizationId: good['org_id'],
        issuedFor: { type: 'api_key', id: good['api_key_id'] },
        actors: [],
        tokenId: 'token-1',
        scope: 'a b',
        issuedAt: start,
        expiresAt: secondsAfter(start, 300),
        keyId: current.keyId,
      },
    });
  });

  test('of a trust rule, or of who acts for another, says so', async () => {
    const byRule = { api_key_id: undefined, trust_rule_id: rule, client_id: rule };
    expect(await verifyAccessToken(deps, await sign(byRule))).toMatchObject({
      value: { subject: account, issuedFor: { type: 'trust_rule', id: rule }, actors: [] },
    });
    const [first, second] = [actor(), actor()];
    const claims = { client_id: second.sub, act: { ...second, act: first } };
    expect(await verifyAccessToken(deps, await sign(claims))).toMatchObject({
      value: {
        subject: account,
        actors: [
          { subject: second.sub, apiKeyId: second.api_key_id },
          { subject: first.sub, apiKeyId: first.api_key_id },
        ],
      },
    });
  });

  // Threat: a token that says which of our algorithms its key is for (RFC 8725 section 3.1).
  test('is judged by the algorithm of its key, which is one of two', async () => {
    const edwards = createSigningKeyPair('EdDSA');
    shown = [...shown, { ...verifying(edwards), algorithm: 'EdDSA' }];
    expect(await reasonFor(await sign({}, { alg: 'EdDSA', kid: edwards.keyId }, edwards))).toBe('accepted');
    expect(await reasonFor(await sign({}, { kid: edwards.keyId }))).toBe('header');
    expect(await reasonFor(await sign({}, { alg: 'EdDSA' }, edwards))).toBe('header');
  });

  const unsigned = `${base64url({ ...goodHeader, alg: 'none' })}.${base64url(good)}.`;
  const later = (seconds: number) => toNumericDate(start) + seconds;

  test.each<[string, () => Promise<string> | string, string]>([
    ['empty', () => '', 'malformed'],
    ['no JWT', () => 'abc', 'malformed'],
    ['with a header that is no JSON', () => 'abc.def.ghi', 'malformed'],
    ['with two segments', async () => (await sign()).split('.').slice(0, 2).join('.'), 'malformed'],
    ['with five segments (JWE)', encrypted, 'malformed'],
    ['longer than any of ours', async () => `${await sign()}${'A'.repeat(8_192)}`, 'malformed'],
    ['unsigned, alg none', () => unsigned, 'header'],
    [
      'with alg None in other case',
      () => `${base64url({ ...goodHeader, alg: 'NoNe' })}.${base64url(good)}.`,
      'header',
    ],
    ['HS256, signed with the public key', signedWithPublicKey, 'header'],
    ['RS256 by a key of the attacker', signedWithRsa, 'header'],
    ['an ID token (typ JWT)', () => sign({}, { typ: 'JWT' }), 'header'],
    ['without typ', () => sign({}, { typ: undefined }), 'header'],
    ['without kid', () => sign({}, { kid: undefined }), 'header'],
    [
      'that names its own key (jwk)',
      () => sign({}, { jwk: foreign.publicJwk, kid: foreign.keyId }, foreign),
      'header',
    ],
    ['that names a place for its key (jku)', () => sign({}, { jku: 'https://evil.example/jwks' }), 'header'],
    ['that brings a certificate (x5u)', () => sign({}, { x5u: 'https://evil.example/cert' }), 'header'],
    [
      'with a critical extension',
      () => `${base64url({ ...goodHeader, crit: ['b64'], b64: false })}.${base64url(good)}.AA`,
      'header',
    ],
    ['by a key nobody published', () => sign({}, { kid: foreign.keyId }, foreign), 'unknown_key'],
    ['by a retired key', () => sign({}, { kid: retired.keyId }, retired), 'unknown_key'],
    ['by another key under our key id', () => sign({}, {}, foreign), 'signature'],
    ['with other claims under the same signature', tampered, 'signature'],
    ['without a signature', async () => `${(await sign()).split('.').slice(0, 2).join('.')}.`, 'signature'],
    ['of another issuer', () => sign({ iss: 'https://evil.example' }), 'issuer'],
    ['of an issuer with a slash more', () => sign({ iss: `${issuer}/` }), 'issuer'],
    ['for another audience', () => sign({ aud: 'https://other.example' }), 'audience'],
    ['for several audiences', () => sign({ aud: [audience, 'https://other.example'] }), 'claims'],
    ['without an audience', () => sign({ aud: undefined }), 'audience'],
    ['that expired 6 s ago', () => sign({ iat: later(-306), exp: later(-6) }), 'expired'],
    ['with a life longer than ours', () => sign({ iat: later(-400), exp: later(9_999) }), 'expired'],
    ['that never expires', () => sign({ exp: undefined }), 'claims'],
    ['issued 6 s from now', () => sign({ iat: later(6) }), 'not_yet_valid'],
    ['not valid before 6 s from now', () => sign({ nbf: later(6) }), 'not_yet_valid'],
    ['without time of issue', () => sign({ iat: undefined }), 'claims'],
    ['without id', () => sign({ jti: undefined }), 'claims'],
    ['without organization', () => sign({ org_id: undefined }), 'claims'],
    ['with an organization that is no id', () => sign({ org_id: "org_' or 1=1" }), 'claims'],
    ['without subject', () => sign({ sub: undefined }), 'claims'],
    ['of a subject other than its client', () => sign({ sub: serviceAccountId.create(ids) }), 'claims'],
    ['with a scope that is no text', () => sign({ scope: ['admin'] }), 'claims'],
    ['issued for nothing', () => sign({ api_key_id: undefined }), 'claims'],
    ['issued for a key and a rule', () => sign({ trust_rule_id: rule, client_id: rule }), 'claims'],
    [
      'of a rule by another client',
      () => sign({ api_key_id: undefined, trust_rule_id: rule, client_id: account }),
      'claims',
    ],
    ['of an actor other than its client', () => sign({ act: actor() }), 'claims'],
    ['of an actor without a key', () => sign({ client_id: account, act: { sub: account } }), 'claims'],
    ['of four actors', () => sign(chain(4)), 'claims'],
  ])('%s is refused', async (_what, create, reason) => {
    expect(await reasonFor(await create())).toBe(reason);
  });

  test('of three actors is accepted', async () => {
    expect(await reasonFor(await sign(chain(3)))).toBe('accepted');
  });

  test('is accepted within the 5 s that clocks may differ', async () => {
    expect(await reasonFor(await sign({ iat: later(-304), exp: later(-4) }))).toBe('accepted');
    expect(await reasonFor(await sign({ iat: later(4), exp: later(304) }))).toBe('accepted');
  });

  test('cannot be judged when the keys cannot be read', async () => {
    const away = { ...keys, find: async () => Promise.reject(new Error('the database is away')) };
    await expect(verifyAccessToken({ ...deps, keys: away }, await sign())).rejects.toThrow('away');
  });
});

describe('a verifier that remembers', () => {
  test('checks the signature of a token once', async () => {
    const verifier = createAccessTokenVerifier(deps);
    const jwt = await sign();
    expect(await verifier.verify(jwt)).toEqual(await verifier.verify(jwt));
    expect(lookups).toBe(1);
  });

  test('is not fooled by a token that differs in one character', async () => {
    const verifier = createAccessTokenVerifier(deps);
    await verifier.verify(await sign());
    expect(await verifier.verify(await tampered())).toMatchObject({ failure: { reason: 'signature' } });
  });

  test('refuses a remembered token from the moment it expires', async () => {
    const verifier = createAccessTokenVerifier(deps);
    const jwt = await sign();
    await verifier.verify(jwt);
    now = secondsAfter(start, 304);
    expect((await verifier.verify(jwt)).ok).toBe(true);
    now = secondsAfter(start, 305);
    expect(await verifier.verify(jwt)).toMatchObject({ failure: { reason: 'expired' } });
  });

  test('refuses a remembered token whose key is withdrawn, or retires by the clock', async () => {
    const verifier = createAccessTokenVerifier(deps);
    const jwt = await sign();
    await verifier.verify(jwt);
    const [, other] = shown;
    shown = other === undefined ? [] : [other];
    expect(await verifier.verify(jwt)).toMatchObject({ failure: { reason: 'unknown_key' } });

    shown = [{ ...verifying(current), verifyUntil: secondsAfter(start, 10) }];
    expect((await verifier.verify(jwt)).ok).toBe(true);
    now = secondsAfter(start, 10);
    expect(await verifier.verify(jwt)).toMatchObject({ failure: { reason: 'unknown_key' } });
  });

  test('does not remember refusals', async () => {
    const verifier = createAccessTokenVerifier(deps);
    const jwt = await sign({}, { kid: foreign.keyId }, foreign);
    expect((await verifier.verify(jwt)).ok).toBe(false);
    shown = [...shown, verifying(foreign)];
    expect((await verifier.verify(jwt)).ok).toBe(true);
  });
});
