import type { Attributes } from './question.ts';

/** Why there is no decision. Stable codes; whoever acts on one is refused meanwhile. */
export type PepFailure = {
  readonly code:
    | 'question.malformed'
    | 'credential.unavailable'
    | 'decision_point.timeout'
    | 'decision_point.unreachable'
    | 'decision_point.redirected'
    /** 4xx: this credential, or this question, is not accepted. See `status`. */
    | 'decision_point.refused'
    /** Any other status that is not 200. See `status`. */
    | 'decision_point.failed'
    | 'answer.malformed'
    | 'answer.too_large'
    /** The decision point answered that it could not decide. */
    | 'answer.undecided';
  readonly status?: number;
  /** For the log of the service; never for its callers. */
  readonly cause?: unknown;
};

/** What the subject must prove first, RFC 9470: classes parted by a space, and seconds since it authenticated. */
export type StepUp = { readonly acr?: string; readonly maxAge?: number };

/** What the decision point asks of the asker, AuthZEN obligations profile. */
export type Obligation = { readonly type: string; readonly id: string; readonly [member: string]: unknown };

export type Allowed = { readonly outcome: 'allow'; readonly decision: true; readonly context: Attributes };
export type StepUpNeeded = {
  readonly outcome: 'step_up';
  readonly decision: false;
  readonly stepUp: StepUp;
  readonly context: Attributes;
};
export type Denied = {
  readonly outcome: 'deny';
  readonly decision: false;
  /** Obligations of a denial (a notice to send, say) are the caller's to perform. */
  readonly obligations: readonly Obligation[];
  readonly context: Attributes;
};
export type Undecided = {
  readonly outcome: 'error';
  readonly decision: false;
  readonly failure: PepFailure;
};

/** `decision` is true for `allow` and for nothing else. Frozen: one object may be handed to many. */
export type Outcome = Allowed | StepUpNeeded | Denied | Undecided;

export function undecided(failure: PepFailure): Undecided {
  return Object.freeze({ outcome: 'error', decision: false, failure: Object.freeze(failure) });
}

/** Thrown by `require`: carries why. The message is for logs and says no more than the outcome's name. */
export class AccessRefusedError extends Error {
  override readonly name = 'AccessRefusedError';
  readonly outcome: Exclude<Outcome, Allowed>;

  constructor(outcome: Exclude<Outcome, Allowed>) {
    super(`Access refused: ${outcome.outcome === 'error' ? outcome.failure.code : outcome.outcome}`);
    this.outcome = outcome;
  }
}
