import { type DatabasePool, withSystem } from '../db/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import { type PrivateJwk, privateJwkSchema } from './jwk.ts';
import type { PrivateKeyFailure } from './signing-key-failure.ts';
import type { SigningKeyStore } from './signing-key-store.ts';

/** The private part of one key, for the issuer alone. Sealed under its own key id: a moved row does not open. */
export async function openPrivateJwk(
  deps: { readonly pool: DatabasePool; readonly store: SigningKeyStore; readonly ring: KeyRing },
  keyId: string,
): Promise<Result<PrivateJwk, PrivateKeyFailure>> {
  const sealed = await withSystem(deps.pool, (tx) => deps.store.findSealedPrivateJwk(tx, keyId));
  const opened = sealed && (await deps.ring.open(sealed, keyId));
  if (opened?.ok !== true) return fail({ code: 'signing_key.private_part_unavailable' });
  return ok(privateJwkSchema.parse(JSON.parse(opened.value.toString('utf8'))));
}
