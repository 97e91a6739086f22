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

/**
 * A public key set, RFC 7517 section 5. One key that is symmetric or private makes the whole set wrong: somebody
 * published a secret.
 */
export const jsonWebKeySetSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(keysMax) });

export type JsonWebKeySet = z.output<typeof jsonWebKeySetSchema>;
