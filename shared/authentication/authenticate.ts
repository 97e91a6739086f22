import { bearerOf } from '../http/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { AuthenticatorDeps } from './authenticator-deps.ts';
import { findInactivity } from './find-inactivity.ts';
import type { AuthenticationFailure, Authenticator, Principal } from './principal.ts';
import { invalid } from './proof.ts';
import { createAccessTokenProof } from './prove-access-token.ts';
import { createApiKeyProof } from './prove-api-key.ts';

/**
 * Tells API keys from access tokens by the brand of our keys, and refuses both for an account that is disabled or has
 * expired, or an organization that is suspended, whenever that happened. Throws when nothing can be proven because a
 * part is down.
 */
export function createAuthenticator(deps: AuthenticatorDeps): Authenticator {
  const proveApiKey = createApiKeyProof(deps);
  const proveAccessToken = createAccessTokenProof(deps);
  return {
    authenticate: async (authorization, from, onProven) => {
      const text = bearerOf(authorization);
      if (text === undefined) return fail({ code: 'credential.missing' });
      if (text === 'malformed') return invalid('malformed');
      const proven = await (text.startsWith('uos_') ? proveApiKey : proveAccessToken)(text, from);
      if (proven.ok) onProven?.(proven.value);
      const caller = proven.ok ? await requireActive(deps, proven.value) : proven;
      if (caller.ok) noteUse(deps, caller.value);
      return caller;
    },
  };
}

function noteUse({ apiKeyUses }: AuthenticatorDeps, { organizationId, credential }: Principal): void {
  if (credential.type === 'api_key') apiKeyUses?.note(organizationId, credential.id);
}

async function requireActive(
  deps: AuthenticatorDeps,
  principal: Principal,
): Promise<Result<Principal, AuthenticationFailure>> {
  const reason = await findInactivity(deps, principal);
  return reason === undefined ? ok(principal) : invalid(reason);
}
