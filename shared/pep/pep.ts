import type { DecisionCacheLimits } from './decision-cache.ts';
import type { Allowed, Outcome, PepFailure } from './outcome.ts';
import type { Question } from './question.ts';

export type PepOptions = {
  /** Base URL of the decision point; `/access/v1/evaluation` is appended. */
  readonly url: string;
  /** API key or access token; a function is asked at each call, so that it may rotate. */
  readonly credential: string | (() => Promise<string>);
  /** Deadline of each call, credential included. Default 1000. */
  readonly timeoutMs?: number;
  /** Absent: no answer is used twice, whatever the decision point allows. */
  readonly cache?: DecisionCacheLimits;
  /** Limits of the decision point for one batch; longer lists are split. Default 100 items, 1 MiB. */
  readonly batch?: { readonly itemsMax?: number; readonly bytesMax?: number };
  /** Told of every call that ended without a decision, for the log. What it throws is ignored. */
  readonly onError?: (failure: PepFailure) => void;
};

/** What a call carries on to the decision point, so that logs and traces join up. */
export type CallContext = {
  /** Sent as `X-Request-ID`; dropped when it is not 1 to 256 characters of printable ASCII. */
  readonly requestId?: string | undefined;
  /** W3C Trace Context; dropped when malformed. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
};

/** AuthZEN 1.0 section 7.1.1: all; up to the first denial; up to the first permit. */
export type EvaluationsSemantic = 'execute_all' | 'deny_on_first_deny' | 'permit_on_first_permit';

/** Policy enforcement point. Fails closed: whatever goes wrong is an outcome that is not `allow`. */
export type Pep = {
  /** Never rejects. */
  evaluate(question: Question, call?: CallContext): Promise<Outcome>;
  /**
   * Outcomes in the order of the questions; never rejects. The short-circuit semantics leave out what follows the
   * deciding one, so compare lengths before taking `every` for an answer.
   */
  evaluateAll(
    questions: readonly Question[],
    semantic?: EvaluationsSemantic,
    call?: CallContext,
  ): Promise<readonly Outcome[]>;
  /** Resolves when allowed, else rejects with `AccessRefusedError`. */
  require(question: Question, call?: CallContext): Promise<Allowed>;
};
