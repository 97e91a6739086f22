import type { Principal } from '../../shared/authentication/index.ts';
import {
  demandFreshFacts,
  type EvaluateBatchDeps,
  type EvaluationOutcome,
  type EvaluationsItem,
  type EvaluationsRequest,
  evaluateBatch,
  narrowToCredential,
  parseEvaluationsRequest,
} from '../../shared/authorization/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import {
  type AdmitCallerDeps,
  type Answer,
  type AuthorizeCall,
  admitCaller,
  admitQuestion,
  notDecided,
} from './admit-caller.ts';
import { answerQuestion, logNothingDecided } from './answer-evaluation.ts';
import { type QuestionOptions, readOptions, toQuestion } from './evaluation-question.ts';
import { presentDecision, toReasons } from './present-decision.ts';
import { readJson } from './read-json.ts';
import { type RecordDecisionDeps, recordDecision } from './record-decision.ts';
import type { WorkSlots } from './work-slots.ts';

export type AnswerEvaluationsDeps = EvaluateBatchDeps & AdmitCallerDeps & RecordDecisionDeps;

/** Access Evaluations, AuthZEN 1.0 section 7. What is wrong with one item is answered in its place, within a 200. */
export function answerEvaluations(
  deps: AnswerEvaluationsDeps & { readonly slots: WorkSlots },
  call: AuthorizeCall,
): Promise<Answer> {
  return admitCaller(deps, call, (caller) =>
    deps.slots(() => answerAdmitted(deps, call, caller), caller.organizationId),
  );
}

async function answerAdmitted(
  deps: AnswerEvaluationsDeps,
  call: AuthorizeCall,
  caller: Principal,
): Promise<Answer> {
  const json = readJson(call.contentType, call.body);
  if (!json.ok) return json;
  const batch = parseEvaluationsRequest(json.value);
  if (!batch.ok) return batch;
  const options = readOptions(json.value);
  if (!options.ok) return options;
  if (batch.value !== undefined) {
    return answerBatch(deps, call, { caller, batch: batch.value, options: options.value });
  }
  const question = toQuestion(json.value);
  return question.ok ? answerQuestion(deps, call, caller, question.value) : question;
}

async function answerBatch(
  deps: AnswerEvaluationsDeps,
  call: AuthorizeCall,
  { caller, batch, options }: { caller: Principal; batch: EvaluationsRequest; options: QuestionOptions },
): Promise<Answer> {
  const subjects = batch.items.flatMap(({ request }) => (request.ok ? [request.value.subject] : []));
  const admitted = await admitQuestion(deps, caller, subjects);
  if (!admitted.ok) return admitted;
  const own = batch.items.map(({ source }) => readOptions(source));
  const items = batch.items.map((item, place) => withFaultOf(own[place], item));
  const facts = demandFreshFacts(
    narrowToCredential(deps.facts, caller),
    newestDemanded([ok(options), ...own]),
  );
  const { organizationId } = caller;
  const outcomes = await evaluateBatch({ ...deps, facts }, { organizationId, batch: { ...batch, items } });
  const undecided = outcomes.find(
    (outcome) => 'decision' in outcome && outcome.decision.revision === undefined,
  );
  // Facts or the policy could not be had: that is of the whole payload, and to be tried again.
  if (undecided !== undefined && 'decision' in undecided)
    return notDecided(deps, call, undecided.decision.cause);
  await Promise.all(outcomes.map((outcome, item) => keep(deps, call, { caller, outcome, item })));
  const answers = outcomes.map((outcome, place) =>
    present(outcome, reasonsOf(own[place]) ?? options.reasons ?? false),
  );
  return ok(`{"evaluations":[${answers.join(',')}]}`);
}

type OptionsRead = ReturnType<typeof readOptions>;

function withFaultOf(options: OptionsRead | undefined, item: EvaluationsItem): EvaluationsItem {
  return options?.ok === false && item.request.ok ? { ...item, request: options } : item;
}

/** One set of facts answers all items, hence the newest that any of them demands. */
function newestDemanded(all: readonly OptionsRead[]): number | undefined {
  const demanded = all.flatMap((options) => (options.ok ? [options.value.minDataRevision] : []));
  const stated = demanded.filter((revision) => revision !== undefined);
  return stated.length === 0 ? undefined : Math.max(...stated);
}

/** An item says for itself whether it is explained. */
function reasonsOf(options: OptionsRead | undefined): boolean | undefined {
  return options?.ok ? options.value.reasons : undefined;
}

async function keep(
  deps: AnswerEvaluationsDeps,
  call: AuthorizeCall,
  { caller, outcome, item }: { caller: Principal; outcome: EvaluationOutcome; item: number },
): Promise<void> {
  if (!('decision' in outcome)) return;
  if (outcome.decision.code === 'error') logNothingDecided(deps, call, outcome.decision);
  const { requestId, traceparent } = call;
  await recordDecision(deps, { caller, ...outcome, requestId, traceparent, item });
}

/** An error is told unasked (section 7.2.1): no client takes one for an answer that it compares. */
function present(outcome: EvaluationOutcome, isExplained: boolean): string {
  if ('failure' in outcome) return failed({ status: 400, message: outcome.failure.detail });
  const { decision } = outcome;
  if (decision.code !== 'error') return presentDecision(decision, isExplained);
  return failed(
    { status: 500, message: 'The policy gave no decision on this item' },
    isExplained ? toReasons(decision) : {},
  );
}

function failed(error: { status: number; message: string }, reasons: object = {}): string {
  return JSON.stringify({ decision: false, context: { error, ...reasons } });
}
