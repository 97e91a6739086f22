import { createHash } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, type JsonValue } from '../kernel/index.ts';

/** JWS algorithms of our keys: ECDSA over P-256 (RFC 7518 section 3.4) and Ed25519 (RFC 8037 section 3.1). */
export const signingAlgorithms = ['ES256', 'EdDSA'] as const;
export type SigningAlgorithm = (typeof signingAlgorithms)[number];

const coordinate = z.string().regex(/^[\w-]{43}$/, 'must be 32 bytes in base64url');
const ecMembers = { kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate };
const okpMembers = { kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate };

/** The public part alone, RFC 7517 and RFC 8037 section 2. Parsing drops whatever else there is: `d` cannot pass. */
export const publicJwkSchema = z.discriminatedUnion('kty', [z.object(ecMembers), z.object(okpMembers)]);
export type PublicJwk = Readonly<z.infer<typeof publicJwkSchema>>;

export const privateJwkSchema = z.discriminatedUnion('kty', [
  z.strictObject({ ...ecMembers, d: coordinate }),
  z.strictObject({ ...okpMembers, d: coordinate }),
]);
export type PrivateJwk = Readonly<z.infer<typeof privateJwkSchema>>;

/** The one algorithm that a key of this form is for (RFC 8725 section 3.1: one key, one algorithm). */
export function algorithmOf({ kty }: Pick<PublicJwk, 'kty'>): SigningAlgorithm {
  return kty === 'EC' ? 'ES256' : 'EdDSA';
}

const requiredMembers = { EC: ['crv', 'kty', 'x', 'y'], OKP: ['crv', 'kty', 'x'], RSA: ['e', 'kty', 'n'] };

/**
 * RFC 7638 section 3.2, RFC 8037 section 2: the members that a key of this form must have and no other, in
 * lexicographic order, without white space.
 */
export function thumbprintOf(
  jwk: Readonly<Record<string, JsonValue>> & { kty: 'EC' | 'OKP' | 'RSA' },
): string {
  const members = requiredMembers[jwk.kty].map((name): [string, JsonValue] => [name, jwk[name] ?? null]);
  return createHash('sha256')
    .update(canonicalJson(Object.fromEntries(members)))
    .digest('base64url');
}
