import { createHash, generateKeyPairSync } from 'node:crypto';
import { canonicalJson, invariant } from '../kernel/index.ts';
import type { PublicJwk } from './signing-key.ts';

export type SigningKeyPair = {
  readonly keyId: string;
  readonly publicJwk: PublicJwk;
  /** Readable: seal it before it goes anywhere. */
  readonly privateJwk: PublicJwk & { readonly d: string };
};

/** A new P-256 pair. OpenSSL makes it: a key drawn from the injected `Random` would be ours to get wrong. */
export function createSigningKeyPair(): SigningKeyPair {
  const { x, y, d } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  invariant(x !== undefined && y !== undefined && d !== undefined, 'a generated key lacks a coordinate');
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y };
  return { keyId: thumbprintOf(publicJwk), publicJwk, privateJwk: { ...publicJwk, d } };
}

/** RFC 7638 section 3.2: the required members alone, in lexicographic order, without white space. */
export function thumbprintOf({ crv, kty, x, y }: PublicJwk): string {
  return createHash('sha256').update(canonicalJson({ crv, kty, x, y })).digest('base64url');
}
