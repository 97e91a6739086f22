import type { Principal } from '../../shared/authentication/index.ts';
import {
  type Decision,
  type EvaluateAccessDeps,
  evaluateAccess,
  narrowToCredential,
  type RememberedSubjectFacts,
} from '../../shared/authorization/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import {
  type AdmitCallerDeps,
  type Answer,
  type AuthorizeCall,
  admitCaller,
  admitQuestion,
  type Charge,
  chargeCaller,
  notDecided,
} from './admit-caller.ts';
import { type Question, type QuestionOptions, readQuestion } from './evaluation-question.ts';
import { presentDecision } from './present-decision.ts';
import { recordDecision } from './record-decision.ts';

export type AnswerEvaluationDeps = EvaluateAccessDeps & AdmitCallerDeps;

/**
 * Access Evaluation, AuthZEN 1.0 section 6. A refusal is an answer (200). Every answer is about the caller's own
 * organization.
 */
export function answerEvaluation(
  deps: AnswerEvaluationDeps & { readonly facts: RememberedSubjectFacts },
  call: AuthorizeCall,
): Promise<Answer> {
  const question = readQuestion(call.contentType, call.body);
  let charged: Charge | undefined;
  return admitCaller(
    deps,
    call,
    async (caller) => (question.ok ? answerQuestion(deps, call, caller, question.value, charged) : question),
    // Facts of the caller and of whom it asks about are then read at once; nothing for whoever asks too much.
    (caller) => {
      if (!question.ok) return;
      charged = chargeCaller(deps, caller, 1);
      if (charged.ok) deps.facts.prefetch(caller.organizationId, question.value.request);
    },
  );
}

export async function answerQuestion(
  deps: AnswerEvaluationDeps,
  call: AuthorizeCall,
  caller: Principal,
  { request, options }: Question,
  charged?: Charge,
): Promise<Answer> {
  const admitted = await admitQuestion(deps, caller, [request.subject], charged);
  if (!admitted.ok) return admitted;
  const { organizationId } = caller;
  const { engine, clock } = deps;
  const facts = narrowToCredential(deps.facts, caller);
  const question = { organizationId, request, ...demandOf(options) };
  const decision = await evaluateAccess({ facts, engine, clock }, question);
  // Without a revision no policy was asked: facts could not be had, or too much was.
  if (decision.revision === undefined) return notDecided(deps, call, decision.cause);
  if (decision.code === 'error') logNothingDecided(deps, call, decision);
  const { requestId, traceparent } = call;
  const recorded = recordDecision(deps, { caller, request, decision, requestId, traceparent });
  if (recorded !== undefined) await recorded;
  return ok(presentDecision(decision, options.reasons ?? false));
}

function demandOf({ minDataRevision }: QuestionOptions): { minDataRevision?: number } {
  return minDataRevision === undefined ? {} : { minDataRevision };
}

export function logNothingDecided(
  deps: Pick<AdmitCallerDeps, 'logger'>,
  { requestId }: AuthorizeCall,
  { cause, revision }: Decision,
): void {
  deps.logger.error({ error: cause, requestId, policyRevision: revision }, 'The policy decided nothing');
}
