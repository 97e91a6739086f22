import { hash } from 'node:crypto';
import { type ApiKey, fingerprintOf, parseApiKeyText, verifyApiKey } from '../api-key/index.ts';
import { createGuardedCache } from '../authorization-feed/index.ts';
import { ok, type Result, secondsAfter } from '../kernel/index.ts';
import type { AuthenticatorDeps } from './authenticator-deps.ts';
import type { AuthenticationFailure, Principal } from './principal.ts';
import { invalid, type Proof } from './proof.ts';

const ttlSeconds = 60;

/**
 * Remembers proven keys by the SHA-256 of their text, which is not kept, and never past their expiry. Refusals are
 * not remembered: anyone could then fill the memory.
 */
export function createApiKeyProof(deps: AuthenticatorDeps): Proof {
  const { apiKeys, feed } = deps;
  const { clock } = apiKeys;
  const principals = createGuardedCache<Result<Principal, AuthenticationFailure>>({
    feed,
    clock,
    entriesMax: deps.entriesMax ?? 20_000,
  });
  return async (text) => {
    const digest = hash('sha256', text, 'base64');
    // Of a text that was proven, form and checksum need no second look.
    const proven = principals.peek(digest);
    if (proven !== undefined) return proven;
    const parsed = parseApiKeyText(text);
    if (!parsed.ok) return invalid('malformed');
    return principals.get(digest, parsed.value.id, async () => {
      const verified = await verifyApiKey(apiKeys, text);
      if (!verified.ok) return { value: invalid(verified.failure.reason) };
      const { expiresAt } = verified.value;
      const cacheUntil = secondsAfter(clock.now(), ttlSeconds);
      return {
        value: ok(toPrincipal(verified.value)),
        cacheUntil: expiresAt !== undefined && expiresAt < cacheUntil ? expiresAt : cacheUntil,
      };
    });
  };
}

function toPrincipal(key: ApiKey): Principal {
  return {
    organizationId: key.organizationId,
    type: 'service_account',
    id: key.serviceAccountId,
    credential: { type: 'api_key', id: key.id, fingerprint: fingerprintOf(key.id, key.lastFour) },
  };
}
