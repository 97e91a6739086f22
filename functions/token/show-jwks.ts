import type { Clock, JsonObject } from '../../shared/kernel/index.ts';
import { type SigningKeySet, verifyingKeys } from '../../shared/signing-key/index.ts';

/**
 * The key set, RFC 7517 section 5: the key that signs, those whose tokens still live, and the next one before its
 * first use. Undefined while there is none, since an empty set would be cached as the truth.
 */
export async function showJwks(deps: {
  readonly keys: SigningKeySet;
  readonly clock: Clock;
}): Promise<JsonObject | undefined> {
  const keys = verifyingKeys(await deps.keys.current(), deps.clock.now());
  if (keys.length === 0) return undefined;
  return {
    keys: keys.map(({ keyId, algorithm, publicJwk }) => ({
      ...publicJwk,
      kid: keyId,
      alg: algorithm,
      use: 'sig',
    })),
  };
}
