import { z } from 'zod';

const word = z.string().max(256).exactOptional();
const number = z.string().max(2_048).exactOptional();

/** Reduced to what verifying a signature takes: certificates can be of any length. */
const publicKeySchema = z
  .looseObject({})
  .refine((key) => !('d' in key), 'must not hold a private key')
  .pipe(
    z.object({
      kty: z.enum(['RSA', 'EC', 'OKP'], 'must be a public key of type RSA, EC or OKP'),
      kid: word,
      alg: word,
      use: word,
      crv: word,
      n: number,
      e: number,
      x: number,
      y: number,
    }),
  );

const keysMax = 50;

/** A set that somebody gives us, RFC 7517 section 5: each key must be a public one of a type we know. */
export const jsonWebKeySetSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(keysMax) });

export type JsonWebKeySet = z.output<typeof jsonWebKeySetSchema>;

const publishedSetSchema = z.object({ keys: z.array(z.unknown()).max(keysMax) });
const neededMembers = { RSA: ['n', 'e'], EC: ['crv', 'x', 'y'], OKP: ['crv', 'x'] } as const;

/**
 * A set that an issuer publishes. Keys of a type or form that we do not know are ignored (RFC 7517 section 5): an
 * issuer adds the keys of tomorrow beside those of today. One that is symmetric or private makes the whole set wrong:
 * somebody published a secret. Undefined when the set is wrong, or no key of it is left.
 */
export function parsePublishedKeys(value: unknown): JsonWebKeySet | undefined {
  const set = publishedSetSchema.safeParse(value);
  if (!set.success || set.data.keys.some(isSecret)) return undefined;
  const keys = set.data.keys.flatMap((key) => {
    const known = publicKeySchema.safeParse(key);
    return known.success && isWhole(known.data) ? [known.data] : [];
  });
  return keys.length === 0 ? undefined : { keys };
}

/** `priv` is the private part of keys of type AKP. */
function isSecret(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false;
  return 'd' in key || 'k' in key || 'priv' in key || ('kty' in key && key.kty === 'oct');
}

function isWhole(key: JsonWebKeySet['keys'][number]): boolean {
  return neededMembers[key.kty].every((member) => key[member] !== undefined);
}
