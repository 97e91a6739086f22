import { EventEmitter } from 'node:events';
import Provider, { type Adapter, type KoaContextWithOIDC } from 'oidc-provider';
import type { SigningKeyPair } from '../../shared/signing-key/index.ts';
import { authenticateByApiKey, type ClientAuthenticationDeps } from './client-authentication.ts';
import { createProviderConfiguration } from './provider-configuration.ts';
import { type SettleDeps, settleTokenResponse } from './settle-token-response.ts';

export type CreateProviderDeps = SettleDeps & {
  readonly clients: ClientAuthenticationDeps;
  /** The library's storage, by model. */
  readonly adapter: (model: string) => Adapter;
  readonly issuer: string;
  readonly audience: string;
};

/** Discovery members of the library that name what we do not serve. */
const notServed = [
  'authorization_endpoint',
  'response_modes_supported',
  'code_challenge_methods_supported',
  'authorization_response_iss_parameter_supported',
  'claims_parameter_supported',
  'claims_supported',
  'claim_types_supported',
  'scopes_supported',
  'request_uri_parameter_supported',
];

/**
 * The OAuth library around one signing key, which it reads only when it is made: another active key means another
 * provider (0.7 ms). Only the active key is given to it; the key set is shown by us.
 */
export function createProvider(
  deps: CreateProviderDeps,
  signingKey: Pick<SigningKeyPair, 'keyId' | 'privateJwk'>,
): Provider {
  const provider = new Provider(
    deps.issuer,
    createProviderConfiguration({
      audience: deps.audience,
      signingKey,
      adapter: deps.adapter,
      tokenClaims: (ctx) => {
        const { organizationId, id } = attempts.requireKey(ctx);
        return { org_id: organizationId, api_key_id: id };
      },
    }),
  );
  const attempts = authenticateByApiKey(provider, deps.clients);
  // Host and scheme come from headers that only our listener sets (see replay-request.ts).
  provider.proxy = true;
  provider.on('server_error', (_ctx, error) => deps.logger.error({ error }, 'The token endpoint failed'));
  // Koa's own event, which the library's types leave out; without a listener Koa writes to standard error.
  EventEmitter.prototype.on.call(provider, 'error', (error: unknown) =>
    deps.logger.error({ error }, 'The OAuth library failed'),
  );
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    if (ctx.path === '/token') await settleTokenResponse(deps, attempts, ctx);
    else if (ctx.status === 200 && typeof ctx.body === 'object') ctx.body = served(ctx.body ?? {});
  });
  return provider;
}

function served(discovery: object): object {
  return Object.fromEntries(Object.entries(discovery).filter(([name]) => !notServed.includes(name)));
}
