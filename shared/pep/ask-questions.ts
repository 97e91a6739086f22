import { fail, ok, type Result } from '../kernel/index.ts';
import { type AskDeps, keepOutcome, toDecisionKey } from './ask-question.ts';
import { type BatchItem, evaluateItems, isDeciding, undecidedAll } from './evaluations.ts';
import { type Outcome, type PepFailure, undecided } from './outcome.ts';
import type { CallContext, EvaluationsSemantic } from './pep.ts';
import { memberOf, type Question, toQuestionWire } from './question.ts';
import { readCredential } from './read-credential.ts';
import { readOutcome } from './read-outcome.ts';

export type Questions = {
  readonly questions: readonly Question[];
  readonly semantic: EvaluationsSemantic;
  readonly call: CallContext;
};

/** Access Evaluations, AuthZEN 1.0 section 7, in as many batches as the limits need, less what the cache holds. */
export async function askQuestions(deps: AskDeps, asked: Questions): Promise<readonly Outcome[]> {
  const { questions, semantic } = asked;
  const credential = await readCredential(deps.credential);
  if (!credential.ok) return undecidedAll(questions.length, credential.failure, semantic);
  return evaluateItems(
    questions.map((question) => toItem(deps, credential.value, question)),
    {
      semantic,
      limits: deps.limits.batch,
      ask: (items) => askBatch(deps, items, { ...asked, credential: credential.value }),
    },
  );
}

function toItem({ cache }: AskDeps, credential: string, question: Question): BatchItem {
  const wire = toQuestionWire(question);
  if (wire === undefined) return { json: '', key: '', known: undecided({ code: 'question.malformed' }) };
  const key = toDecisionKey(credential, wire);
  return { json: wire.json, key, known: cache.find(key) };
}

async function askBatch(
  { ask, cache }: AskDeps,
  items: readonly BatchItem[],
  { semantic, call, credential }: Questions & { credential: string },
): Promise<Result<readonly Outcome[], PepFailure>> {
  const options = JSON.stringify({ evaluations_semantic: semantic, reasons: true });
  const body = `{"evaluations":[${items.map(({ json }) => json).join(',')}],"options":${options}}`;
  const response = await ask('/access/v1/evaluations', { ...call, credential, body });
  if (!response.ok) return response;
  const read = readAnswers(response.value.json, items.length, semantic);
  if (!read.ok) return read;
  for (const [index, { outcome, answer }] of read.value.entries()) {
    keepOutcome(cache, { key: items[index]?.key ?? '', outcome, answer, response: response.value });
  }
  return ok(read.value.map(({ outcome }) => outcome));
}

/**
 * As many answers as questions, or fewer when the last one decides. Any other number, or an answer that is none,
 * leaves open which answer is whose, so none of them counts.
 */
function readAnswers(
  json: unknown,
  asked: number,
  semantic: EvaluationsSemantic,
): Result<readonly { outcome: Outcome; answer: unknown }[], PepFailure> {
  const answers = memberOf(json, 'evaluations');
  if (!Array.isArray(answers)) return fail({ code: 'answer.malformed' });
  const read = answers.map((answer: unknown) => ({ answer, outcome: readOutcome(answer) }));
  const last = read.at(-1)?.outcome;
  const isCut = read.length < asked && last !== undefined && isDeciding(last, semantic);
  const isWhole = read.length === asked || isCut;
  const isReadable = read.every(({ outcome }) => !isMalformed(outcome));
  return isWhole && isReadable ? ok(read) : fail({ code: 'answer.malformed' });
}

function isMalformed(outcome: Outcome): boolean {
  return outcome.outcome === 'error' && outcome.failure.code === 'answer.malformed';
}
