import { type CredentialBounds, isUsable } from '../api-key/index.ts';
import { narrowScopes } from '../authorization/index.ts';
import { createGuardedCache, type Filled } from '../authorization-feed/index.ts';
import { withOrg } from '../db/index.ts';
import { ok, secondsAfter } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { AccessTokenClaims, IssuedFor } from '../token/index.ts';
import type { AuthenticatorDeps } from './authenticator-deps.ts';
import { findInactivity } from './find-inactivity.ts';
import type { Principal } from './principal.ts';
import { invalid, type Proof } from './proof.ts';

const ttlSeconds = 60;

/**
 * A token lives no longer than the API key or trust rule it was issued for, nor than the keys of those who act by it,
 * although its signature and its time may still be good; and it is within the scopes that its source has now,
 * whatever it says itself.
 */
export function createAccessTokenProof(deps: AuthenticatorDeps): Proof {
  const { accessTokens, signingKeys, feed } = deps;
  const findSource = createSourceLookup(deps);
  return async (text) => {
    // A key set that hears of no changes may hold a key that was withdrawn.
    if (!feed.isLive()) signingKeys.invalidate();
    const verified = await accessTokens.verify(text);
    if (!verified.ok) return invalid(verified.failure.reason);
    const claims = verified.value;
    const source = await findSource(claims.organizationId, claims.issuedFor);
    if (source === undefined) return invalid(`${claims.issuedFor.type}_revoked`);
    for (const { subject: id, apiKeyId } of claims.actors) {
      const actorKey = await findSource(claims.organizationId, { type: 'api_key', id: apiKeyId });
      const actor = { organizationId: claims.organizationId, type: 'service_account', id };
      if (actorKey === undefined || (await findInactivity(deps, actor))) return invalid('actor_revoked');
    }
    return ok(toPrincipal(claims, source));
  };
}

/** What stands behind a token. A trust rule is bound to no networks and does not end. */
type Source = CredentialBounds & { readonly scopes: readonly string[] | undefined };

function createSourceLookup(
  deps: AuthenticatorDeps,
): (organizationId: OrganizationId, issuedFor: IssuedFor) => Promise<Source | undefined> {
  const entriesMax = deps.entriesMax ?? 20_000;
  const { clock } = deps.apiKeys;
  const sources = createGuardedCache<Source | undefined>({ feed: deps.feed, clock, entriesMax });
  return (organizationId, issuedFor) =>
    // The organization is part of what is asked: a key of another one is no key.
    sources.get(`${organizationId} ${issuedFor.id}`, issuedFor.id, () =>
      issuedFor.type === 'api_key'
        ? readApiKey(deps, organizationId, issuedFor.id)
        : readTrustRule(deps, organizationId, issuedFor.id),
    );
}

type Read<Type extends IssuedFor['type']> = (
  deps: AuthenticatorDeps,
  organizationId: OrganizationId,
  id: Extract<IssuedFor, { type: Type }>['id'],
) => Promise<Filled<Source | undefined>>;

const readApiKey: Read<'api_key'> = async ({ apiKeys }, organizationId, id) => {
  const key = await withOrg(apiKeys.pool, organizationId, (tx) => apiKeys.store.find(tx, id));
  const now = apiKeys.clock.now();
  if (key === undefined || !isUsable(key, now)) return { value: undefined };
  const cacheUntil = secondsAfter(now, ttlSeconds);
  const { scopes, allowedNetworks, expiresAt } = key;
  const ends = expiresAt !== undefined && expiresAt < cacheUntil;
  return { value: { scopes, allowedNetworks, expiresAt }, cacheUntil: ends ? expiresAt : cacheUntil };
};

const readTrustRule: Read<'trust_rule'> = async ({ apiKeys, trustRules }, organizationId, id) => {
  const rule = await withOrg(apiKeys.pool, organizationId, (tx) => trustRules.find(tx, id));
  if (rule?.status !== 'active') return { value: undefined };
  return { value: { scopes: rule.scopes }, cacheUntil: secondsAfter(apiKeys.clock.now(), ttlSeconds) };
};

function toPrincipal(claims: AccessTokenClaims, source: Source): Principal {
  // RFC 8693 section 4.2: a list with spaces between. Without the claim the token is as wide as its source.
  const stated = claims.scope === '' ? undefined : claims.scope.split(' ');
  const { allowedNetworks, expiresAt } = source;
  const scopes = stated === undefined ? source.scopes : narrowScopes(source.scopes, stated);
  return {
    organizationId: claims.organizationId,
    type: 'service_account',
    id: claims.subject,
    credential: { type: 'access_token', id: claims.tokenId, keyId: claims.keyId },
    ...(scopes === undefined ? {} : { scopes }),
    ...(allowedNetworks === undefined ? {} : { allowedNetworks }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(claims.actors.length === 0 ? {} : { actedBy: claims.actors.map(({ subject }) => subject) }),
  };
}
