import { createPrivateKey, createPublicKey, createSecretKey, diffieHellman } from 'node:crypto';
import { CompactSign, compactVerify, jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import type { Clock } from '../../../shared/kernel/index.ts';
import { algorithmOf, thumbprintOf, type VerifyingKey } from '../../../shared/signing-key/index.ts';
import { privateJwkSchema, publicJwkSchema } from '../../../shared/signing-key/jwk.ts';
import { verifyAccessToken } from '../../../shared/token/index.ts';
import {
  claimsText,
  ed25519,
  es256,
  hs256,
  rs256,
  thumbprintExample,
  unsecured,
  x25519,
} from './jose-vectors.ts';

/** Before the examples expire. */
const start = new Date(1_300_819_000_000);
const clock: Clock = { now: () => start };

function verifyingKeyOf(jwk: object): VerifyingKey {
  const publicJwk = publicJwkSchema.parse(jwk);
  return {
    keyId: thumbprintOf(publicJwk),
    algorithm: algorithmOf(publicJwk),
    publicJwk,
    publishedAt: start,
    activeFrom: start,
    verifyUntil: undefined,
    publicKey: createPublicKey({ key: { ...publicJwk }, format: 'jwk' }),
  };
}

/** As `verifyAccessToken` asks the library: the key's own algorithm and no other. */
function verifyByKeyOf(jwk: object, jws: string) {
  const { publicKey, algorithm } = verifyingKeyOf(jwk);
  return jwtVerify(jws, publicKey, { algorithms: [algorithm], currentDate: start });
}

/** The whole verifier, which knows the keys of the examples. */
async function reasonFor(jwt: string): Promise<string> {
  const shown = [verifyingKeyOf(es256.privateJwk), verifyingKeyOf(ed25519.publicJwk)];
  const keys = {
    current: async () => shown,
    find: async () => shown[0],
    invalidate: () => undefined,
    isLoaded: () => true,
  };
  const verified = await verifyAccessToken({ keys, issuer: 'joe', audience: 'any', clock }, jwt);
  return verified.ok ? 'accepted' : verified.failure.reason;
}

test('RFC 7638 section 3.1: the thumbprint is over the required members alone', () => {
  expect(thumbprintOf(thumbprintExample.jwk)).toBe(thumbprintExample.thumbprint);
});

describe('RFC 8037 appendix A', () => {
  test('A.1 and A.2: the private key is one of ours, and its public part is the public key', () => {
    const jwk = privateJwkSchema.parse(ed25519.privateJwk);
    expect(publicJwkSchema.parse(jwk)).toEqual(ed25519.publicJwk);
    const derived = createPublicKey(createPrivateKey({ key: { ...jwk }, format: 'jwk' }));
    expect(derived.export({ format: 'jwk' })).toEqual(ed25519.publicJwk);
    expect(algorithmOf(jwk)).toBe('EdDSA');
  });

  test('A.3: the thumbprint of the public key', () => {
    expect(thumbprintOf(ed25519.publicJwk)).toBe(ed25519.thumbprint);
  });

  test('A.4: signing gives the example to the byte', async () => {
    const key = createPrivateKey({ key: { ...ed25519.privateJwk }, format: 'jwk' });
    const payload = new TextEncoder().encode(ed25519.payload);
    const jws = await new CompactSign(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(key);
    expect(jws).toBe(ed25519.jws);
  });

  test('A.5: the example verifies, and with one bit changed it does not', async () => {
    const { publicKey, algorithm } = verifyingKeyOf(ed25519.publicJwk);
    const options = { algorithms: [algorithm] };
    const { payload } = await compactVerify(ed25519.jws, publicKey, options);
    expect(new TextDecoder().decode(payload)).toBe(ed25519.payload);
    const changed = ed25519.jws.replace('.RXhh', '.RXhi');
    await expect(compactVerify(changed, publicKey, options)).rejects.toThrow('signature');
  });

  // Key agreement is no signature: nothing of ours uses it, and such a key must not pass for one of ours.
  test('A.6: the keys agree on the secret, and neither is a signing key', () => {
    const secret = diffieHellman({
      privateKey: createPrivateKey({ key: { ...x25519.ephemeral }, format: 'jwk' }),
      publicKey: createPublicKey({ key: { ...x25519.recipient }, format: 'jwk' }),
    });
    expect(secret.toString('hex')).toBe(x25519.sharedSecret);
    expect(publicJwkSchema.safeParse(x25519.recipient).success).toBe(false);
    expect(privateJwkSchema.safeParse(x25519.ephemeral).success).toBe(false);
  });
});

describe('RFC 7515 appendix A and RFC 7519 section 3.1', () => {
  test('the claims are those of the example', () => {
    const [, payload] = es256.jws.split('.');
    expect(Buffer.from(payload ?? '', 'base64url').toString('utf8')).toBe(claimsText);
  });

  test('A.1: HS256 is a good signature, and our verifier refuses it', async () => {
    const secret = createSecretKey(hs256.secret, 'base64url');
    expect((await jwtVerify(hs256.jws, secret, { currentDate: start })).payload.iss).toBe('joe');
    expect(await reasonFor(hs256.jws)).toBe('header');
  });

  test('A.2: RS256 is a good signature, and our verifier refuses it, as no key of ours is RSA', async () => {
    const key = createPublicKey({ key: { ...rs256.publicJwk }, format: 'jwk' });
    const verified = await jwtVerify(rs256.jws, key, { algorithms: ['RS256'], currentDate: start });
    expect(verified.payload['http://example.com/is_root']).toBe(true);
    expect(publicJwkSchema.safeParse(rs256.publicJwk).success).toBe(false);
    expect(await reasonFor(rs256.jws)).toBe('header');
  });

  test('A.3: ES256 verifies by the path our verifier takes', async () => {
    const { payload } = await verifyByKeyOf(es256.privateJwk, es256.jws);
    expect(payload).toEqual({ iss: 'joe', exp: 1_300_819_380, 'http://example.com/is_root': true });
  });

  test('A.3: under our verifier it is no access token, since it does not say that it is one', async () => {
    expect(await reasonFor(es256.jws)).toBe('header');
  });

  test('A.3: another of our keys does not verify it', async () => {
    await expect(verifyByKeyOf(ed25519.publicJwk, es256.jws)).rejects.toThrow('alg');
  });

  test('A.5: an unsecured token is refused', async () => {
    expect(await reasonFor(unsecured)).toBe('header');
    await expect(verifyByKeyOf(es256.privateJwk, unsecured)).rejects.toThrow('alg');
  });
});
