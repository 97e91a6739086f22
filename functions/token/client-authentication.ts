import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import {
  type ApiKey,
  type ApiKeyDeps,
  type ApiKeyRefusal,
  verifyApiKey,
} from '../../shared/api-key/index.ts';
import { invariant } from '../../shared/kernel/index.ts';

export type ClientAuthenticationDeps = Pick<ApiKeyDeps, 'pool' | 'store' | 'pepper' | 'clock'>;

/** What a request's client secret proved. */
export type ClientAttempt =
  | { readonly isProven: true; readonly apiKey: ApiKey }
  | { readonly isProven: false; readonly reason: ApiKeyRefusal['reason'] | 'other_client' };

export type ClientAttempts = {
  of(ctx: KoaContextWithOIDC): ClientAttempt | undefined;
  /** The key of a request whose client has authenticated. */
  requireKey(ctx: KoaContextWithOIDC): ApiKey;
};

/**
 * Replaces the comparison of client secrets: the secret is one of the service account's API keys, of which only
 * keyed hashes exist, so several live at once and each is revoked alone.
 */
export function authenticateByApiKey(provider: Provider, deps: ClientAuthenticationDeps): ClientAttempts {
  const attempts = new WeakMap<KoaContextWithOIDC, ClientAttempt>();
  provider.Client.prototype.compareClientSecret = async function compare(secret) {
    const ctx = Provider.ctx;
    invariant(ctx, 'a client secret is compared outside a request');
    const attempt = await attemptOf(deps, this.clientId, secret);
    attempts.set(ctx, attempt);
    return attempt.isProven;
  };
  return {
    of: (ctx) => attempts.get(ctx),
    requireKey: (ctx) => {
      const attempt = attempts.get(ctx);
      invariant(attempt?.isProven, 'a token is made for a client that did not authenticate');
      return attempt.apiKey;
    },
  };
}

async function attemptOf(
  deps: ClientAuthenticationDeps,
  clientId: string,
  secret: string,
): Promise<ClientAttempt> {
  const verified = await verifyApiKey(deps, secret);
  if (!verified.ok) return { isProven: false, reason: verified.failure.reason };
  // A good key of somebody else: as wrong as any other.
  if (verified.value.serviceAccountId !== clientId) return { isProven: false, reason: 'other_client' };
  return { isProven: true, apiKey: verified.value };
}
