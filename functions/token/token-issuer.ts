import type Provider from 'oidc-provider';
import type { Clock } from '../../shared/kernel/index.ts';
import {
  activeKey,
  type SigningAlgorithm,
  type SigningKeyPair,
  type SigningKeySet,
} from '../../shared/signing-key/index.ts';

export type TokenIssuerDeps = {
  readonly keys: SigningKeySet;
  readonly clock: Clock;
  readonly algorithm: SigningAlgorithm;
  readonly openPrivateJwk: (keyId: string) => Promise<SigningKeyPair['privateJwk']>;
  readonly build: (key: Pick<SigningKeyPair, 'keyId' | 'privateJwk'>) => Provider;
};

export type TokenIssuer = {
  /**
   * The provider of the key that is active now, made when the key has changed. Undefined while there is no active
   * key of the configured algorithm, as on the very first start: then this revision is not ready, and the one before
   * it goes on serving. Throws when the keys cannot be read.
   */
  provider(): Promise<Provider | undefined>;
  /** True once a provider exists: without asking the database. */
  isReady(): boolean;
};

type Built = { readonly keyId: string; readonly provider: Provider };

export function createTokenIssuer(deps: TokenIssuerDeps): TokenIssuer {
  let built: Built | undefined;
  let building: { readonly keyId: string; readonly done: Promise<Built> } | undefined;

  async function build(keyId: string): Promise<Built> {
    return { keyId, provider: deps.build({ keyId, privateJwk: await deps.openPrivateJwk(keyId) }) };
  }
  /** Requests that arrive while a key is being opened share the opening. */
  function buildOnce(keyId: string): Promise<Built> {
    if (building?.keyId !== keyId) building = { keyId, done: build(keyId) };
    return building.done.finally(() => {
      building = undefined;
    });
  }
  return {
    provider: async () => {
      const active = activeKey(await deps.keys.current(), {
        algorithm: deps.algorithm,
        now: deps.clock.now(),
      });
      if (active === undefined) return undefined;
      if (built?.keyId !== active.keyId) built = await buildOnce(active.keyId);
      return built.provider;
    },
    isReady: () => built !== undefined,
  };
}
