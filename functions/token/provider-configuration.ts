import { type Adapter, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { JsonObject } from '../../shared/kernel/index.ts';
import { algorithmOf, type SigningAlgorithm, type SigningKeyPair } from '../../shared/signing-key/index.ts';
import { accessTokenTtlSeconds } from '../../shared/token/index.ts';

export type ProviderConfigurationInput = {
  readonly audience: string;
  readonly signingKey: Pick<SigningKeyPair, 'keyId' | 'privateJwk'>;
  readonly adapter: (model: string) => Adapter;
  /** Of ours, beside those of RFC 9068. */
  readonly tokenClaims: (ctx: KoaContextWithOIDC) => JsonObject;
  /** `scope` of the token; the library would leave out what it has not heard of. */
  readonly scopeOf: (ctx: KoaContextWithOIDC) => string | undefined;
};

const off = { enabled: false } as const;

/**
 * Client credentials and the grants we add (exchange-token.ts, bear-assertion.ts), nothing else: what is not used is
 * off, so that it cannot be reached by a path nobody watches. Symmetric algorithms need readable client secrets, which
 * we do not have. Of the others the library learns the one of its key alone: verifiers take each that the key set shows.
 */
export function createProviderConfiguration(input: ProviderConfigurationInput): Configuration {
  const { keyId, privateJwk } = input.signingKey;
  const alg = algorithmOf(privateJwk);
  return {
    adapter: input.adapter,
    jwks: { keys: [{ ...privateJwk, kid: keyId, alg, use: 'sig' }] },
    enabledJWA: {
      idTokenSigningAlgValues: [alg],
      requestObjectSigningAlgValues: [alg],
      userinfoSigningAlgValues: [alg],
      introspectionSigningAlgValues: [alg],
      authorizationSigningAlgValues: [alg],
    },
    clientDefaults: { id_token_signed_response_alg: alg },
    // `none`: clients whose proof is a foreign token.
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    responseTypes: [],
    scopes: [],
    ttl: { ClientCredentials: accessTokenTtlSeconds },
    routes: { token: '/token', jwks: '/jwks' },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: resourceOf(toResourceServer(input.audience, alg)),
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    extraTokenClaims: async (ctx) => input.tokenClaims(ctx),
    formats: {
      customizers: {
        jwt: (ctx, _token, parts) => {
          const scope = input.scopeOf(ctx);
          if (scope !== undefined) parts.payload['scope'] = scope;
        },
      },
    },
    // An OAuth client reads JSON, whatever its Accept header prefers.
    renderError: async (ctx, out) => {
      ctx.body = out;
    },
  };
}

/** Every token is for the one audience; another that is asked for is refused (RFC 8707 section 2). */
function resourceOf(
  server: ReturnType<typeof toResourceServer>,
): NonNullable<Configuration['features']>['resourceIndicators'] {
  return {
    enabled: true,
    defaultResource: () => server.audience,
    getResourceServerInfo: (_ctx, resource) => {
      if (resource !== server.audience) throw new errors.InvalidTarget();
      return server;
    },
  };
}

export function toResourceServer(audience: string, alg: SigningAlgorithm) {
  return {
    audience,
    scope: '',
    accessTokenTTL: accessTokenTtlSeconds,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg } },
  } as const;
}
