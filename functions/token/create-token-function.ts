import type { ApiKeyStore } from '../../shared/api-key/index.ts';
import type { ApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import type { DatabasePool } from '../../shared/db/index.ts';
import type { EventRecorder } from '../../shared/events/index.ts';
import type { FunctionOptions } from '../../shared/http/index.ts';
import type { Clock, Random } from '../../shared/kernel/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import {
  openPrivateJwk,
  openSigningKeySet,
  type SigningAlgorithm,
  type SigningKeyStore,
} from '../../shared/signing-key/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import type { OidcRecordStore } from '../../shared/token/index.ts';
import { createClientAdapter } from './client-adapter.ts';
import { createProvider } from './create-provider.ts';
import { createHandler } from './handler.ts';
import { keepPrepared } from './keep-prepared.ts';
import { openOidcAdapter } from './oidc-adapter.ts';
import { createRefusalRecorder } from './record-token.ts';
import { createTokenIssuer } from './token-issuer.ts';

export type TokenFunctionDeps = {
  readonly pool: DatabasePool;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly apiKeys: ApiKeyStore;
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
      createProvider({ ...deps, adapter, refusals, clients: { ...deps, store: deps.apiKeys } }, key),
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
