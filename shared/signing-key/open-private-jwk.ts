import { z } from 'zod';
import { type DatabasePool, withSystem } from '../db/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import type { SigningKeyPair } from './create-signing-key.ts';
import type { PrivateKeyFailure } from './signing-key-failure.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

const privateJwk = z.strictObject({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});

/** The private part of one key, for the issuer alone. Sealed under its own key id: a moved row does not open. */
export async function openPrivateJwk(
  deps: { readonly pool: DatabasePool; readonly store: SigningKeyStore; readonly ring: KeyRing },
  keyId: string,
): Promise<Result<SigningKeyPair['privateJwk'], PrivateKeyFailure>> {
  const sealed = await withSystem(deps.pool, (tx) => deps.store.findSealedPrivateJwk(tx, keyId));
  const opened = sealed && (await deps.ring.open(sealed, keyId));
  if (opened?.ok !== true) return fail({ code: 'signing_key.private_part_unavailable' });
  return ok(privateJwk.parse(JSON.parse(opened.value.toString('utf8'))));
}
