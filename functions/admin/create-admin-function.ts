import type { ApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { createAuthenticator } from '../../shared/authentication/index.ts';
import type { PolicyEngine, SubjectFactsSource } from '../../shared/authorization/index.ts';
import { silentFeed } from '../../shared/authorization-feed/index.ts';
import { type FunctionOptions, toListener } from '../../shared/http/index.ts';
import { openSigningKeySet } from '../../shared/signing-key/index.ts';
import { createAccessTokenVerifier } from '../../shared/token/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import { createHandler } from './handler.ts';

const bodyBytesMax = 65_536;

export type AdminFunctionDeps = Omit<AdminDeps, 'authenticator' | 'access'> & {
  readonly engine: PolicyEngine;
  readonly facts: SubjectFactsSource;
  /** Told when each API key was used; absent: nobody asks. */
  readonly apiKeyUses?: Pick<ApiKeyUseRecorder, 'note'> | undefined;
  readonly issuer: string;
  readonly audience: string;
};

/** The function over given parts. It remembers no credential: what is revoked is refused by the very next request. */
export function createAdminFunction(deps: AdminFunctionDeps): Omit<FunctionOptions, 'name'> {
  const { clock, pool, engine, facts, issuer, audience, stores } = deps;
  const signingKeys = openSigningKeySet({ pool, store: stores.signingKey, clock });
  const authenticator = createAuthenticator({
    apiKeys: { pool, store: stores.apiKey, pepper: deps.rings.pepper, clock },
    accessTokens: createAccessTokenVerifier({ keys: signingKeys, issuer, audience, clock }),
    trustRules: stores.trustRule,
    signingKeys,
    facts,
    feed: silentFeed,
    apiKeyUses: deps.apiKeyUses,
  });
  const app = createHandler({ ...deps, authenticator, access: { facts, engine, clock } });
  return {
    listener: toListener(app),
    bodyBytesMax,
    isReady: () => engine.status().revision !== undefined,
  };
}
