import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type PrivateJwk,
  type PublicJwk,
  privateJwkSchema,
  publicJwkSchema,
  type SigningAlgorithm,
  thumbprintOf,
} from './jwk.ts';

export type SigningKeyPair = {
  /** JWK thumbprint, RFC 7638. */
  readonly keyId: string;
  readonly publicJwk: PublicJwk;
  /** Readable: seal it before it goes anywhere. */
  readonly privateJwk: PrivateJwk;
};

/** A new pair. OpenSSL makes it: a key drawn from the injected `Random` would be ours to get wrong. */
export function createSigningKeyPair(algorithm: SigningAlgorithm = 'ES256'): SigningKeyPair {
  const jwk = generators[algorithm]().export({ format: 'jwk' });
  const publicJwk = publicJwkSchema.parse(jwk);
  return { keyId: thumbprintOf(publicJwk), publicJwk, privateJwk: privateJwkSchema.parse(jwk) };
}

const generators: Record<SigningAlgorithm, () => KeyObject> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  EdDSA: () => generateKeyPairSync('ed25519').privateKey,
};
