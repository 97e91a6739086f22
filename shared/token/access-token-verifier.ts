import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { ok, type Result, secondsAfter } from '../kernel/index.ts';
import { isRetired, type VerifyingKey } from '../signing-key/index.ts';
import { type AccessTokenClaims, type AccessTokenRefusal, verifierSkewSeconds } from './access-token.ts';
import { type VerifyAccessTokenDeps, verifyAccessToken } from './verify-access-token.ts';

export type AccessTokenVerifier = {
  verify(jwt: string): Promise<Result<AccessTokenClaims, AccessTokenRefusal>>;
};

/**
 * `verifyAccessToken` that checks a signature once: an accepted token is remembered, by the SHA-256 of all of it,
 * until it expires or its key retires, and not past any change of the key set. Refusals are not remembered, since
 * anyone could then fill the memory. Each remembered token costs about 500 bytes.
 */
export function createAccessTokenVerifier(
  deps: VerifyAccessTokenDeps,
  options: { readonly entriesMax?: number } = {},
): AccessTokenVerifier {
  const accepted = new LRUCache<string, AccessTokenClaims>({ max: options.entriesMax ?? 10_000 });
  let keysSeen: readonly VerifyingKey[] | undefined;

  return {
    verify: async (jwt) => {
      const keys = await deps.keys.current();
      if (keys !== keysSeen) accepted.clear();
      keysSeen = keys;
      const digest = createHash('sha256').update(jwt).digest('base64url');
      const remembered = accepted.get(digest);
      if (remembered !== undefined && isStillGood(remembered, keys, deps.clock.now())) return ok(remembered);
      accepted.delete(digest);
      const verified = await verifyAccessToken(deps, jwt);
      // The set may have changed while the signature was checked; the next call clears what this one adds then.
      if (verified.ok) accepted.set(digest, verified.value);
      return verified;
    },
  };
}

function isStillGood(claims: AccessTokenClaims, keys: readonly VerifyingKey[], now: Date): boolean {
  const key = keys.find(({ keyId }) => keyId === claims.keyId);
  const isKeyGood = key !== undefined && !isRetired(key, now);
  return isKeyGood && now < secondsAfter(claims.expiresAt, verifierSkewSeconds);
}
