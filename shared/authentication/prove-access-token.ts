import { type ApiKey, isUsable } from '../api-key/index.ts';
import { narrowScopes } from '../authorization/index.ts';
import { createGuardedCache } from '../authorization-feed/index.ts';
import { withOrg } from '../db/index.ts';
import { ok, secondsAfter } from '../kernel/index.ts';
import type { AccessTokenClaims } from '../token/index.ts';
import type { AuthenticatorDeps } from './authenticator-deps.ts';
import type { Principal } from './principal.ts';
import { invalid, type Proof } from './proof.ts';

const ttlSeconds = 60;

/**
 * A token lives no longer than the API key it was issued for, although its signature and its time may still be good;
 * and it is within the scopes that the key has now, whatever it says itself.
 */
export function createAccessTokenProof(deps: AuthenticatorDeps): Proof {
  const { accessTokens, signingKeys, feed } = deps;
  const findUsableKey = createKeyLookup(deps);
  return async (text) => {
    // A key set that hears of no changes may hold a key that was withdrawn.
    if (!feed.isLive()) signingKeys.invalidate();
    const verified = await accessTokens.verify(text);
    if (!verified.ok) return invalid(verified.failure.reason);
    const key = await findUsableKey(verified.value);
    return key === undefined ? invalid('api_key_revoked') : ok(toPrincipal(verified.value, key));
  };
}

type UsableKey = Pick<ApiKey, 'scopes'>;

function createKeyLookup(
  deps: AuthenticatorDeps,
): (claims: AccessTokenClaims) => Promise<UsableKey | undefined> {
  const { pool, store, clock } = deps.apiKeys;
  const entriesMax = deps.entriesMax ?? 20_000;
  const usable = createGuardedCache<UsableKey | undefined>({ feed: deps.feed, clock, entriesMax });
  return ({ organizationId, apiKeyId }) =>
    // The organization is part of what is asked: a key of another one is no key.
    usable.get(`${organizationId} ${apiKeyId}`, apiKeyId, async () => {
      const key = await withOrg(pool, organizationId, (tx) => store.find(tx, apiKeyId));
      const now = clock.now();
      if (key === undefined || !isUsable(key, now)) return { value: undefined };
      const cacheUntil = secondsAfter(now, ttlSeconds);
      const ends = key.expiresAt !== undefined && key.expiresAt < cacheUntil;
      return { value: { scopes: key.scopes }, cacheUntil: ends ? key.expiresAt : cacheUntil };
    });
}

function toPrincipal(claims: AccessTokenClaims, key: UsableKey): Principal {
  // RFC 8693 section 4.2: a list with spaces between. Without the claim the token is as wide as its key.
  const stated = claims.scope === '' ? undefined : claims.scope.split(' ');
  const scopes = stated === undefined ? key.scopes : narrowScopes(key.scopes, stated);
  return {
    organizationId: claims.organizationId,
    type: 'service_account',
    id: claims.subject,
    credential: { type: 'access_token', id: claims.tokenId, keyId: claims.keyId },
    ...(scopes === undefined ? {} : { scopes }),
  };
}
