import { DeadlineError, withDeadline } from '../kernel/index.ts';
import { type AskDeps, askQuestion } from './ask-question.ts';
import { askQuestions } from './ask-questions.ts';
import { createDecisionCache, noDecisionCache } from './decision-cache.ts';
import { createDecisionPoint, type DecisionPointDeps } from './decision-point.ts';
import { undecidedAll } from './evaluations.ts';
import { AccessRefusedError, type Outcome, type PepFailure, undecided } from './outcome.ts';
import type { Pep, PepOptions } from './pep.ts';
import { requireLimits } from './pep-limits.ts';
import { createSingleFlight } from './single-flight.ts';

/** `createPep` with its surroundings as arguments. */
export function assemblePep(deps: DecisionPointDeps, options: PepOptions): Pep {
  const limits = requireLimits(options);
  const { timeoutMs } = limits;
  const askDeps: AskDeps = {
    credential: options.credential,
    limits,
    ask: createDecisionPoint(deps, { url: options.url, timeoutMs }),
    cache: limits.cache === undefined ? noDecisionCache : createDecisionCache(deps.clock, limits.cache),
    join: createSingleFlight<Outcome>(),
  };
  const evaluate: Pep['evaluate'] = async (question, call = {}) => {
    const outcome = await inTime(timeoutMs, () => askQuestion(askDeps, question, call), undecided);
    report(options, [outcome]);
    return outcome;
  };
  return {
    evaluate,
    evaluateAll: async (questions, semantic = 'execute_all', call = {}) => {
      const outcomes = await inTime(
        timeoutMs,
        () => askQuestions(askDeps, { questions, semantic, call }),
        (failure) => undecidedAll(questions.length, failure, semantic),
      );
      report(options, outcomes);
      return outcomes;
    },
    require: async (question, call) => {
      const outcome = await evaluate(question, call);
      if (outcome.outcome !== 'allow') throw new AccessRefusedError(outcome);
      return outcome;
    },
  };
}

/** The deadline of the whole call: the credential may hang too, and a batch may be many requests. */
async function inTime<T>(
  timeoutMs: number,
  work: () => Promise<T>,
  refuse: (failure: PepFailure) => T,
): Promise<T> {
  try {
    return await withDeadline({ what: 'The decision', timeoutMs }, work);
  } catch (cause) {
    const isLate = cause instanceof DeadlineError;
    return refuse({ code: isLate ? 'decision_point.timeout' : 'decision_point.unreachable', cause });
  }
}

/** Once for each failure, however many questions it left undecided. */
function report({ onError }: PepOptions, outcomes: readonly Outcome[]): void {
  if (onError === undefined) return;
  const failures = new Set(
    outcomes.flatMap((outcome) => (outcome.outcome === 'error' ? [outcome.failure] : [])),
  );
  for (const failure of failures) {
    try {
      onError(failure);
    } catch {
      // A log that fails must not change a decision.
    }
  }
}
