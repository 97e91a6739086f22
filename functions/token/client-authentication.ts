import Provider, { type KoaContextWithOIDC } from 'oidc-provider';
import {
  type ApiKeyRefusal,
  openAllowedNetworks,
  type VerifiedApiKey,
  type VerifyApiKeyDeps,
  verifyApiKey,
} from '../../shared/api-key/index.ts';
import type { ApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import type { ServiceAccountId } from '../../shared/service-account/index.ts';
import { callerAddressOf, noteProven } from './replay-request.ts';

export type ClientAuthenticationDeps = VerifyApiKeyDeps & {
  readonly apiKeyUses?: Pick<ApiKeyUseRecorder, 'note'> | undefined;
};

/** The key that a client authenticated with, which is its own. */
export type ClientKey = VerifiedApiKey & { readonly serviceAccountId: ServiceAccountId };

/** What a request's client secret proved. */
export type ClientAttempt =
  | { readonly isProven: true; readonly apiKey: ClientKey }
  | { readonly isProven: false; readonly reason: ApiKeyRefusal['reason'] | Mismatch };
type Mismatch = 'other_client' | 'network_not_allowed';

export type ClientAttempts = {
  of(ctx: KoaContextWithOIDC): ClientAttempt | undefined;
  /** The key of a request whose client has authenticated. */
  requireKey(ctx: KoaContextWithOIDC): ClientKey;
};

/**
 * Replaces the comparison of client secrets: the secret is one of the service account's API keys, of which only
 * sealed digests exist, so several live at once and each is revoked alone.
 */
export function authenticateByApiKey(provider: Provider, deps: ClientAuthenticationDeps): ClientAttempts {
  const attempts = new WeakMap<KoaContextWithOIDC, ClientAttempt>();
  provider.Client.prototype.compareClientSecret = async function compare(secret) {
    const ctx = Provider.ctx;
    invariant(ctx, 'a client secret is compared outside a request');
    const attempt = await attemptOf(deps, {
      clientId: this.clientId,
      secret,
      address: callerAddressOf(ctx.req),
    });
    attempts.set(ctx, attempt);
    if (attempt.isProven) {
      noteProven(ctx.req);
      deps.apiKeyUses?.note(attempt.apiKey.organizationId, attempt.apiKey.id);
    }
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
  presented: { clientId: string; secret: string; address: string | undefined },
): Promise<ClientAttempt> {
  const verified = await verifyApiKey(deps, presented.secret);
  if (!verified.ok) return { isProven: false, reason: verified.failure.reason };
  const { owner, allowedNetworks } = verified.value;
  // A good key of somebody else: as wrong as any other.
  if (owner.type !== 'service_account' || owner.id !== presented.clientId)
    return { isProven: false, reason: 'other_client' };
  if (openAllowedNetworks(allowedNetworks)?.include(presented.address) === false)
    return { isProven: false, reason: 'network_not_allowed' };
  return { isProven: true, apiKey: { ...verified.value, serviceAccountId: owner.id } };
}
