import { hash } from 'node:crypto';
import {
  type AllowedNetworks,
  fingerprintOf,
  openAllowedNetworks,
  parseApiKeyText,
  type VerifiedApiKey,
  verifyApiKey,
} from '../api-key/index.ts';
import { createGuardedCache } from '../authorization-feed/index.ts';
import { ok, type Result, secondsAfter } from '../kernel/index.ts';
import type { AuthenticatorDeps } from './authenticator-deps.ts';
import { limitLookUps } from './limit-look-ups.ts';
import type { AuthenticationFailure, CallerOrigin, Principal } from './principal.ts';
import { invalid, type Proof } from './proof.ts';

const ttlSeconds = 1_800;

/** What is remembered of a key: whom it proves, and where from. */
type Known = {
  readonly proven: Result<Principal, AuthenticationFailure>;
  readonly networks: AllowedNetworks;
};

/**
 * Remembers proven keys by the SHA-256 of their text, which is not kept, and never past their expiry. Refusals are
 * not remembered: anyone could then fill the memory.
 */
export function createApiKeyProof(deps: AuthenticatorDeps): Proof {
  const { apiKeys, feed } = deps;
  const { clock } = apiKeys;
  const entriesMax = deps.entriesMax ?? 50_000;
  const keys = createGuardedCache<Known>({ feed, clock, entriesMax });
  const limited = limitLookUps(deps.limits, entriesMax);
  return async (text, from) => {
    const digest = hash('sha256', text, 'base64');
    // Of a text that was proven, form and checksum need no second look.
    const known = keys.peek(digest);
    if (known !== undefined) return proveFrom(known, from);
    const parsed = parseApiKeyText(text);
    if (!parsed.ok) return invalid('malformed');
    const read = () =>
      keys.get(digest, parsed.value.id, async () => {
        const verified = await verifyApiKey(apiKeys, text);
        if (!verified.ok) return { value: { proven: invalid(verified.failure.reason), networks: undefined } };
        const { expiresAt, allowedNetworks } = verified.value;
        const cacheUntil = secondsAfter(clock.now(), ttlSeconds);
        return {
          value: { proven: ok(toPrincipal(verified.value)), networks: openAllowedNetworks(allowedNetworks) },
          cacheUntil: expiresAt !== undefined && expiresAt < cacheUntil ? expiresAt : cacheUntil,
        };
      });
    const found = await limited({ digest, from }, { run: read, hasFailed: ({ proven }) => !proven.ok });
    return found.ok ? proveFrom(found.value, from) : found;
  };
}

/** At each use: one key may be presented from many addresses. */
function proveFrom({ proven, networks }: Known, from: CallerOrigin | undefined): Known['proven'] {
  if (networks === undefined || !proven.ok || networks.include(from?.address)) return proven;
  return invalid('network_not_allowed');
}

function toPrincipal(verified: VerifiedApiKey): Principal {
  const { organizationId, owner, id, lastFour, scopes, allowedNetworks, keyExpiresAt } = verified;
  return {
    organizationId,
    ...owner,
    credential: { type: 'api_key', id, fingerprint: fingerprintOf(id, lastFour) },
    ...(scopes === undefined ? {} : { scopes }),
    ...(allowedNetworks === undefined ? {} : { allowedNetworks }),
    ...(keyExpiresAt === undefined ? {} : { expiresAt: keyExpiresAt }),
  };
}
