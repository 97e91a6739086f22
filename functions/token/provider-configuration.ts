import { type Adapter, type Configuration, errors, type KoaContextWithOIDC } from 'oidc-provider';
import type { JsonObject } from '../../shared/kernel/index.ts';
import { algorithmOf, type SigningAlgorithm, type SigningKeyPair } from '../../shared/signing-key/index.ts';
import { accessTokenTtlSeconds } from '../../shared/token/index.ts';

export type ProviderConfigurationInput = {
  readonly audience: string;
  readonly signingKey: Pick<SigningKeyPair, 'keyId' | 'privateJwk'>;
  readonly adapter: (model: string) => Adapter;
  readonly tokenClaims: (ctx: KoaContextWithOIDC) => JsonObject;
};

const off = { enabled: false } as const;

/**
 * Client credentials and nothing else: what is not used is off, so that it cannot be reached by a path nobody
 * watches. Symmetric algorithms need readable client secrets, which we do not have. Of
 * the others the library learns the one of its key alone: verifiers take each that the key set shows.
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
    clientAuthMethods: ['client_secret_basic', 'client_secret_post'],
    responseTypes: [],
    scopes: [],
    ttl: { ClientCredentials: accessTokenTtlSeconds },
    routes: { token: '/token', jwks: '/jwks' },
    features: {
      clientCredentials: { enabled: true },
      resourceIndicators: resourceOf(input.audience, alg),
      devInteractions: off,
      dPoP: off,
      pushedAuthorizationRequests: off,
      rpInitiatedLogout: off,
      userinfo: off,
    },
    extraTokenClaims: async (ctx) => input.tokenClaims(ctx),
    // An OAuth client reads JSON, whatever its Accept header prefers.
    renderError: async (ctx, out) => {
      ctx.body = out;
    },
  };
}

/** Every token is for the one audience; another that is asked for is refused (RFC 8707 section 2). */
function resourceOf(
  audience: string,
  alg: SigningAlgorithm,
): NonNullable<Configuration['features']>['resourceIndicators'] {
  return {
    enabled: true,
    defaultResource: () => audience,
    getResourceServerInfo: (_ctx, resource) => {
      if (resource !== audience) throw new errors.InvalidTarget();
      return {
        audience,
        scope: '',
        accessTokenTTL: accessTokenTtlSeconds,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg } },
      };
    },
  };
}
