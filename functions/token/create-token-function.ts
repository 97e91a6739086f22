import type { ApiKeyStore } from '../../shared/api-key/index.ts';
import type { ApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { createAuthenticator } from '../../shared/authentication/index.ts';
import type { PolicyEngine, SubjectFactsSource } from '../../shared/authorization/index.ts';
import { silentFeed } from '../../shared/authorization-feed/index.ts';
import { type DatabasePool, type OrgTransaction, withOrg } from '../../shared/db/index.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import type { FunctionOptions } from '../../shared/http/index.ts';
import type { Clock, Random } from '../../shared/kernel/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { IssuerKeys } from '../../shared/remote-jwks/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import { type ServiceAccountStore, serviceAccountId } from '../../shared/service-account/index.ts';
import {
  openPrivateJwk,
  openSigningKeySet,
  type SigningAlgorithm,
  type SigningKeyStore,
} from '../../shared/signing-key/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { createAccessTokenVerifier, type OidcRecordStore } from '../../shared/token/index.ts';
import type { TokenUseStore, TrustRuleStore } from '../../shared/workload-identity/index.ts';
import { createClientAdapter } from './client-adapter.ts';
import { createProvider } from './create-provider.ts';
import { createHandler } from './handler.ts';
import { keepPrepared } from './keep-prepared.ts';
import { limitIssuerKeys } from './limit-issuer-keys.ts';
import { openOidcAdapter } from './oidc-adapter.ts';
import type { ProveDelegationDeps } from './prove-delegation.ts';
import { createRefusalRecorder } from './record-token.ts';
import { createTokenIssuer } from './token-issuer.ts';

export type TokenFunctionDeps = {
  readonly pool: DatabasePool;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly apiKeys: ApiKeyStore;
  readonly trustRules: TrustRuleStore;
  readonly serviceAccounts: Pick<ServiceAccountStore, 'find'>;
  readonly tokenUses: TokenUseStore;
  readonly issuerKeys: IssuerKeys;
  readonly facts: SubjectFactsSource;
  /** Says who may act for whom. */
  readonly engine: PolicyEngine;
  readonly signingKeys: SigningKeyStore;
  /** Told when each API key was used; absent: nobody asks. */
  readonly apiKeyUses?: Pick<ApiKeyUseRecorder, 'note'> | undefined;
  readonly records: OidcRecordStore;
  readonly events: EventRecorder;
  readonly pepper: KeyRing;
  readonly signingRing: KeyRing;
  readonly recordRing: KeyRing;
  readonly limits: CallerLimits;
  readonly issuer: string;
  readonly audience: string;
  readonly signingAlgorithm: SigningAlgorithm;
  readonly jwksMaxAgeSeconds: number;
};

export type TokenFunction = {
  readonly listener: FunctionOptions['listener'];
  readonly isReady: () => boolean;
  /** To be called when the signing keys may have changed. */
  readonly keysChanged: () => void;
  readonly close: () => Promise<void>;
};

/** The parts of this function put together over given implementations; the same for the process and for tests. */
export async function createTokenFunction(deps: TokenFunctionDeps): Promise<TokenFunction> {
  const { pool, clock, logger, issuer } = deps;
  const keys = openSigningKeySet({ pool, store: deps.signingKeys, clock });
  const clients = createClientAdapter(deps);
  const records = await openOidcAdapter({ pool, store: deps.records, ring: deps.recordRing, clock });
  const adapter = (model: string) => (model === 'Client' ? clients : records(model));
  const refusals = createRefusalRecorder(deps);
  const delegation = createDelegation(deps);
  const tokenIssuer = createTokenIssuer({
    keys,
    clock,
    algorithm: deps.signingAlgorithm,
    openPrivateJwk: async (keyId) => {
      const opened = await openPrivateJwk({ pool, store: deps.signingKeys, ring: deps.signingRing }, keyId);
      if (!opened.ok) throw new Error(`Signing key ${keyId} does not open: ${opened.failure.code}`);
      return opened.value;
    },
    build: (key) =>
      createProvider(
        {
          ...deps,
          adapter,
          refusals,
          clients: { ...deps, store: deps.apiKeys },
          workloads: { ...deps, issuerKeys: limitIssuerKeys(deps.limits, deps.issuerKeys) },
          delegation,
        },
        key,
      ),
  });
  const preparing = keepPrepared(tokenIssuer, logger);
  return {
    listener: createHandler({ ...deps, keys, tokenIssuer, issuer }),
    isReady: tokenIssuer.isReady,
    keysChanged: () => {
      keys.invalidate();
      preparing.now();
    },
    close: preparing.close,
  };
}

/** Like admin it remembers no credential: what is revoked is refused by the very next request. */
function createDelegation(deps: TokenFunctionDeps): ProveDelegationDeps {
  const { pool, clock, facts, engine, issuer, audience } = deps;
  const signingKeys = openSigningKeySet({ pool, store: deps.signingKeys, clock });
  const accessTokens = createAccessTokenVerifier({ keys: signingKeys, issuer, audience, clock });
  const authenticator = createAuthenticator({
    apiKeys: { pool, store: deps.apiKeys, pepper: deps.pepper, clock },
    accessTokens,
    trustRules: deps.trustRules,
    signingKeys,
    facts,
    feed: silentFeed,
  });
  return {
    authenticator,
    accessTokens,
    access: { facts, engine, clock },
    ownerTeamOf: async (organizationId, account) => {
      if (!serviceAccountId.is(account)) return undefined;
      const find = (tx: OrgTransaction) => deps.serviceAccounts.find(tx, account);
      return (await withOrg(pool, organizationId, find))?.ownerTeamId;
    },
  };
}
