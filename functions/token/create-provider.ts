import { EventEmitter } from 'node:events';
import Provider, { type Adapter, type KoaContextWithOIDC } from 'oidc-provider';
import { fingerprintOf } from '../../shared/api-key/index.ts';
import { algorithmOf, type SigningKeyPair } from '../../shared/signing-key/index.ts';
import { type AssertionParams, assertionParameters, bearAssertion } from './bear-assertion.ts';
import {
  authenticateByApiKey,
  type ClientAuthenticationDeps,
  type ClientKey,
} from './client-authentication.ts';
import {
  type ExchangeParams,
  type ExchangeTokenDeps,
  exchangeParameters,
  exchangeToken,
} from './exchange-token.ts';
import { claimsOf, createGrants, type Grant } from './grant.ts';
import { grantTypes } from './grant-types.ts';
import { narrowScope } from './narrow-scope.ts';
import { createProviderConfiguration, toResourceServer } from './provider-configuration.ts';
import { type SettleDeps, settleTokenResponse } from './settle-token-response.ts';

export type CreateProviderDeps = SettleDeps & {
  readonly clients: ClientAuthenticationDeps;
  readonly workloads: ExchangeTokenDeps['workloads'];
  readonly delegation: ExchangeTokenDeps['delegation'];
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
      tokenClaims: (ctx) => claimsOf(grantOf(ctx)),
      scopeOf: (ctx) => grantOf(ctx).scopes?.join(' '),
    }),
  );
  const attempts = authenticateByApiKey(provider, deps.clients);
  const grants = createGrants();
  const grantOf = (ctx: KoaContextWithOIDC) => {
    const grant = grants.of(ctx) ?? toOwnGrant(attempts.requireKey(ctx), ctx.oidc.params?.['scope']);
    grants.set(ctx, grant);
    return grant;
  };
  const resourceServer = toResourceServer(deps.audience, algorithmOf(signingKey.privateJwk));
  const parts = { ...deps, resourceServer, grants, attempts };
  const { tokenExchange, jwtBearer } = grantTypes;
  provider.registerGrantType<ExchangeParams>(
    tokenExchange,
    (ctx) => exchangeToken(parts, ctx),
    exchangeParameters,
  );
  provider.registerGrantType<AssertionParams>(
    jwtBearer,
    (ctx) => bearAssertion(parts, ctx),
    assertionParameters,
  );
  // Host and scheme come from headers that only our listener sets (see replay-request.ts).
  provider.proxy = true;
  provider.on('server_error', (_ctx, error) => deps.logger.error({ error }, 'The token endpoint failed'));
  // Koa's own event, which the library's types leave out; without a listener Koa writes to standard error.
  EventEmitter.prototype.on.call(provider, 'error', (error: unknown) =>
    deps.logger.error({ error }, 'The OAuth library failed'),
  );
  provider.use(async (ctx: KoaContextWithOIDC, next) => {
    await next();
    if (ctx.path === '/token') await settleTokenResponse(deps, { attempts, grants }, ctx);
    else if (ctx.status === 200 && typeof ctx.body === 'object') ctx.body = served(ctx.body ?? {});
  });
  return provider;
}

/** Client credentials: the client is the subject, proven by its key. */
function toOwnGrant(
  { organizationId, serviceAccountId, id, lastFour, scopes }: ClientKey,
  asked: unknown,
): Grant {
  return {
    organizationId,
    subject: serviceAccountId,
    issuedFor: { type: 'api_key', id },
    actors: [],
    scopes: narrowScope(scopes, typeof asked === 'string' ? asked : undefined),
    goodUntil: undefined,
    fingerprint: fingerprintOf(id, lastFour),
  };
}

function served(discovery: object): object {
  return Object.fromEntries(Object.entries(discovery).filter(([name]) => !notServed.includes(name)));
}
