import type { AuthenticationFailure, Authenticator, Principal } from '../../shared/authentication/index.ts';
import type { SubjectReference } from '../../shared/authorization/index.ts';
import type { DecisionRecorder } from '../../shared/decision-record/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { type Fail, fail, ok, type Result } from '../../shared/kernel/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { isOverload } from './bound-pool.ts';
import type { CallerPermission } from './caller-permission.ts';
import type { QuestionLimits } from './question-limits.ts';

export type AdmitCallerDeps = {
  readonly authenticator: Authenticator;
  readonly mayAsk: CallerPermission;
  /** One unit a question, so that a batch is no way around it, nor a search, which asks about each candidate. */
  readonly questionLimits: QuestionLimits;
  readonly decisions: Pick<DecisionRecorder, 'record' | 'isAccepting'>;
  readonly logger: Logger;
};

/** One request to any of the addresses. */
export type AuthorizeCall = {
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  readonly requestId: string;
  /** Keys may be bound to networks. */
  readonly clientAddress: string;
  /** W3C Trace Context, for the record of what is decided. */
  readonly traceparent?: string | undefined;
};

/** The text is the response's JSON; a problem means that nothing was decided. */
export type Answer = Result<string, ProblemFailure>;

/** Runs `work` for a caller whose credential holds, while what is decided can be recorded. */
export async function admitCaller(
  deps: AdmitCallerDeps,
  call: AuthorizeCall,
  work: (caller: Principal) => Promise<Answer>,
  onProven?: (caller: Principal) => void,
): Promise<Answer> {
  // What cannot be recorded is not decided.
  if (!deps.decisions.isAccepting()) return fail({ code: 'service.unavailable' });
  try {
    const from = { address: call.clientAddress };
    const caller = await deps.authenticator.authenticate(call.authorization, from, onProven);
    return caller.ok ? await work(caller.value) : refuseCaller(deps, call, caller.failure);
  } catch (error) {
    return notDecided(deps, call, error);
  }
}

export type Charge = Result<true, ProblemFailure>;

/** Takes what so many questions cost from what the caller may ask now. At once: what is read for them follows. */
export function chargeCaller(
  { questionLimits }: Pick<AdmitCallerDeps, 'questionLimits'>,
  caller: Principal,
  questions: number,
): Charge {
  const admission = questionLimits.take(caller, Math.max(1, questions));
  if (admission.isAdmitted) return ok(true);
  return fail({ code: 'rate_limit.exceeded', retryAfterSeconds: admission.retryAfterSeconds });
}

/**
 * Whether the caller may ask about these subjects, and so much, now. Anything may ask what it may do itself; that tells
 * it no more than trying would.
 */
export async function admitQuestion(
  deps: AdmitCallerDeps,
  caller: Principal,
  subjects: readonly SubjectReference[],
  charged: Charge = chargeCaller(deps, caller, subjects.length),
): Promise<Charge> {
  if (!charged.ok) return charged;
  if (subjects.every(({ type, id }) => type === caller.type && id === caller.id)) return ok(true);
  const permit = await deps.mayAsk(caller);
  return permit.ok ? ok(true) : permit;
}

export function notDecided(
  deps: Pick<AdmitCallerDeps, 'logger'>,
  call: AuthorizeCall,
  error: unknown,
): Fail<ProblemFailure> {
  if (isOverload(error)) return fail({ code: 'service.overloaded' });
  deps.logger.error({ error, requestId: call.requestId }, 'A question was not decided');
  return fail({ code: 'service.unavailable' });
}

/** Why is for the log alone. */
function refuseCaller(deps: AdmitCallerDeps, call: AuthorizeCall, failure: AuthenticationFailure) {
  deps.logger.debug({ ...failure, requestId: call.requestId }, 'A caller was refused');
  return presentRefusal(failure);
}

/** Every bad credential alike. */
export function presentRefusal(failure: AuthenticationFailure): Fail<ProblemFailure> {
  return fail(failure.code === 'credential.invalid' ? { code: failure.code } : failure);
}
