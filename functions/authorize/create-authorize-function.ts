import type { ApiKeyDeps } from '../../shared/api-key/index.ts';
import type { ApiKeyUseRecorder } from '../../shared/api-key-use/index.ts';
import { createAuthenticator } from '../../shared/authentication/index.ts';
import {
  createWorkTurns,
  type RememberedSubjectFacts,
  type SearchBounds,
  type SearchCandidates,
} from '../../shared/authorization/index.ts';
import type { AuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import type { DecisionRecorder } from '../../shared/decision-record/index.ts';
import { createTurnBudget, type FunctionOptions } from '../../shared/http/index.ts';
import type { Clock } from '../../shared/kernel/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import type { KeyRing } from '../../shared/secret/index.ts';
import type { SigningKeySet } from '../../shared/signing-key/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { createAccessTokenVerifier } from '../../shared/token/index.ts';
import type { TrustRuleStore } from '../../shared/workload-identity/index.ts';
import { createCallerPermission } from './caller-permission.ts';
import { bodyBytesMax, createHandler } from './handler.ts';
import type { QuestionLimits } from './question-limits.ts';
import type { Policies } from './start-policies.ts';

export type AuthorizeFunctionDeps = {
  readonly apiKeys: Pick<ApiKeyDeps, 'pool' | 'store' | 'pepper'>;
  readonly trustRules: Pick<TrustRuleStore, 'find'>;
  readonly signingKeys: SigningKeySet;
  /** Told when each API key was used; absent: nobody asks. */
  readonly apiKeyUses?: Pick<ApiKeyUseRecorder, 'note'> | undefined;
  /** Cached; asked more than once a question. */
  readonly facts: RememberedSubjectFacts;
  readonly feed: AuthorizationFeed;
  readonly policies: Pick<Policies, 'engine' | 'ownEngine' | 'report'>;
  /** What a search has to try. */
  readonly candidates: SearchCandidates;
  /** What one page of a search may cost; absent: as it is deployed. */
  readonly searchBounds?: SearchBounds | undefined;
  /** Seals the page tokens of searches. */
  readonly keyRing: Pick<KeyRing, 'seal' | 'open'>;
  readonly decisions: Pick<DecisionRecorder, 'record' | 'isAccepting'>;
  readonly questionLimits: QuestionLimits;
  readonly limits: Pick<CallerLimits, 'failures'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly issuer: string;
  readonly audience: string;
  readonly publicUrl: string;
};

/** The decision point over given parts. Ready once a policy answers, the feed is live and decisions can be kept. */
export function createAuthorizeFunction(deps: AuthorizeFunctionDeps): Omit<FunctionOptions, 'name'> {
  const { signingKeys, facts, feed, policies, decisions, clock, issuer, audience } = deps;
  const { engine, ownEngine } = policies;
  const authenticator = createAuthenticator({
    apiKeys: { ...deps.apiKeys, clock },
    accessTokens: createAccessTokenVerifier({ keys: signingKeys, issuer, audience, clock }),
    trustRules: deps.trustRules,
    signingKeys,
    facts,
    feed,
    apiKeyUses: deps.apiKeyUses,
    limits: deps.limits,
  });
  const handler = createHandler({
    authenticator,
    mayAsk: createCallerPermission({ facts, engine: ownEngine, clock }),
    facts,
    engine,
    policies,
    candidates: deps.candidates,
    searchBounds: deps.searchBounds,
    keyRing: deps.keyRing,
    turns: createWorkTurns(),
    questionLimits: deps.questionLimits,
    decisions,
    clock,
    logger: deps.logger,
    publicUrl: deps.publicUrl,
  });
  return {
    ...handler,
    bodyBytesMax,
    budget: createTurnBudget(),
    isReady: () => engine.status().revision !== undefined && feed.isLive() && decisions.isAccepting(),
  };
}
