import type { AuthenticationFailure, Authenticator, Principal } from '../../shared/authentication/index.ts';
import {
  type Decision,
  type EvaluateAccessDeps,
  type EvaluationRequest,
  evaluateAccess,
} from '../../shared/authorization/index.ts';
import type { DecisionRecorder } from '../../shared/decision-record/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { type Fail, fail, ok, type Result } from '../../shared/kernel/index.ts';
import type { Logger } from '../../shared/telemetry/index.ts';
import { isOverload } from './bound-pool.ts';
import type { CallerPermission } from './caller-permission.ts';
import { type Question, readQuestion } from './evaluation-question.ts';

export type AnswerEvaluationDeps = EvaluateAccessDeps & {
  readonly authenticator: Authenticator;
  readonly mayAsk: CallerPermission;
  readonly decisions: Pick<DecisionRecorder, 'record' | 'isAccepting'>;
  readonly logger: Logger;
};

export type EvaluationCall = {
  readonly authorization: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Buffer;
  readonly requestId: string;
};

/**
 * Access Evaluation, AuthZEN 1.0 section 6. A refusal is an answer (200); a problem means that nothing was decided.
 * Every answer is about the caller's own organization. The text is the response's JSON.
 */
export async function answerEvaluation(
  deps: AnswerEvaluationDeps,
  call: EvaluationCall,
): Promise<Result<string, ProblemFailure>> {
  // What cannot be recorded is not decided.
  if (!deps.decisions.isAccepting()) return fail({ code: 'service.unavailable' });
  try {
    return await decide(deps, call);
  } catch (error) {
    return notDecided(deps, call, error);
  }
}

async function decide(
  deps: AnswerEvaluationDeps,
  call: EvaluationCall,
): Promise<Result<string, ProblemFailure>> {
  const caller = await deps.authenticator.authenticate(call.authorization);
  if (!caller.ok) return refuseCaller(deps, call, caller.failure);
  const question = readQuestion(call.contentType, call.body);
  if (!question.ok) return question;
  const { request } = question.value;
  if (!isAboutItself(caller.value, request)) {
    const permit = await deps.mayAsk(caller.value);
    if (!permit.ok) return permit;
  }
  const { organizationId } = caller.value;
  const decision = await evaluateAccess(deps, { organizationId, request });
  if (decision.code === 'error') deps.logger.error(toLogFields(decision, call), 'The policy decided nothing');
  // Without a revision no policy was asked: facts could not be had.
  if (decision.revision === undefined) return notDecided(deps, call, decision.cause);
  record(deps, { caller: caller.value, question: question.value, decision, requestId: call.requestId });
  return ok(present(decision, question.value.wantsReasons));
}

/** Why is for the log alone. */
function refuseCaller(deps: AnswerEvaluationDeps, call: EvaluationCall, failure: AuthenticationFailure) {
  deps.logger.debug({ ...failure, requestId: call.requestId }, 'A caller was refused');
  return fail({ code: failure.code });
}

/** Anything may ask what it may do itself; that tells it no more than trying would. */
function isAboutItself(caller: Principal, { subject }: EvaluationRequest): boolean {
  return subject.type === caller.type && subject.id === caller.id;
}

function record(
  deps: AnswerEvaluationDeps,
  made: { caller: Principal; question: Question; decision: Decision; requestId: string },
): void {
  const { caller, decision } = made;
  const { subject, action, resource } = made.question.request;
  const { credential } = caller;
  deps.decisions.record({
    time: deps.clock.now(),
    organization: caller.organizationId,
    requestId: made.requestId,
    principal: {
      type: caller.type,
      id: caller.id,
      credential: credential.type === 'api_key' ? credential.fingerprint : credential.id,
    },
    subject: { type: subject.type, id: subject.id },
    action: action.name,
    resource: { type: resource.type, id: resource.id },
    decision: decision.decision,
    code: decision.code,
    rule: decision.rule,
    binding: decision.binding,
    policyRevision: decision.revision ?? '',
  });
}

/** Reasons only when asked for: clients exist that compare whole answers. */
function present(decision: Decision, wantsReasons: boolean): string {
  if (!wantsReasons) return decision.decision ? '{"decision":true}' : '{"decision":false}';
  const { code, rule, binding, obligations, revision } = decision;
  return JSON.stringify({
    decision: decision.decision,
    context: { code, rule, binding, obligations, policy_revision: revision },
  });
}

function notDecided(deps: AnswerEvaluationDeps, call: EvaluationCall, error: unknown): Fail<ProblemFailure> {
  if (isOverload(error)) return fail({ code: 'service.overloaded' });
  deps.logger.error({ error, requestId: call.requestId }, 'A question was not decided');
  return fail({ code: 'service.unavailable' });
}

function toLogFields(decision: Decision, call: EvaluationCall) {
  return { error: decision.cause, requestId: call.requestId, policyRevision: decision.revision };
}
