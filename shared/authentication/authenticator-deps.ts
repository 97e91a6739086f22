import type { ApiKeyDeps } from '../api-key/index.ts';
import type { ApiKeyUseRecorder } from '../api-key-use/index.ts';
import type { SubjectFactsSource } from '../authorization/index.ts';
import type { AuthorizationFeed } from '../authorization-feed/index.ts';
import type { CallerLimits } from '../rate-limit/index.ts';
import type { SigningKeySet } from '../signing-key/index.ts';
import type { AccessTokenVerifier } from '../token/index.ts';
import type { TrustRuleStore } from '../workload-identity/index.ts';

/** What proving a caller stands on. Without a feed (`silentFeed`) nothing is remembered. */
export type AuthenticatorDeps = {
  readonly apiKeys: Pick<ApiKeyDeps, 'pool' | 'store' | 'pepper' | 'clock'>;
  readonly accessTokens: AccessTokenVerifier;
  /** Tells whether the rule that a token was issued under still stands. */
  readonly trustRules: Pick<TrustRuleStore, 'find'>;
  readonly signingKeys: Pick<SigningKeySet, 'invalidate'>;
  /** Tell on each use whether the account behind a credential is still active. */
  readonly facts: SubjectFactsSource;
  readonly feed: AuthorizationFeed;
  /** Told of each API key that let a caller in; absent: nobody asks. */
  readonly apiKeyUses?: Pick<ApiKeyUseRecorder, 'note'> | undefined;
  /** For each address: API keys that were looked up and were wrong. Absent: whoever asks limits attempts itself. */
  readonly limits?: Pick<CallerLimits, 'failures'> | undefined;
  /** Remembered API keys; about 500 bytes each. */
  readonly entriesMax?: number;
};
