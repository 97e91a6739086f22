import { type Obligation, type Outcome, type StepUp, undecided } from './outcome.ts';
import { type Attributes, isRecord, memberOf } from './question.ts';

/**
 * One AuthZEN decision (section 6.2). Only a boolean `true` with nothing left to do is an allow: a PEP that cannot
 * perform an obligation treats the answer as a denial (obligations profile), and this one performs none but step-up.
 */
export function readOutcome(answer: unknown): Outcome {
  const decision = memberOf(answer, 'decision');
  const context = memberOf(answer, 'context') ?? {};
  const obligations = memberOf(context, 'obligations') ?? [];
  if (typeof decision !== 'boolean' || !isRecord(context) || !areObligations(obligations)) {
    return undecided({ code: 'answer.malformed' });
  }
  return deepFreeze(toOutcome(decision, context, obligations));
}

function toOutcome(decision: boolean, context: Attributes, obligations: readonly Obligation[]): Outcome {
  // A failed item of a batch (section 7.2), and our decision point when its policy fails on this input.
  if (memberOf(context, 'error') !== undefined || memberOf(context, 'code') === 'error') {
    return undecided({ code: 'answer.undecided', cause: memberOf(context, 'error') });
  }
  const stepUps = obligations.filter(({ type }) => type === 'step-up' || type === 'step_up');
  if (stepUps.length > 0)
    return { outcome: 'step_up', decision: false, stepUp: readStepUp(stepUps), context };
  if (decision && obligations.length === 0) return { outcome: 'allow', decision, context };
  return { outcome: 'deny', decision: false, obligations, context };
}

/** Several are owed together: every class is named, and the shortest age holds for all. */
function readStepUp(obligations: readonly Obligation[]): StepUp {
  const classes = obligations.flatMap(({ acr_value: acr }) =>
    typeof acr === 'string' && acr !== '' ? [acr] : [],
  );
  const ages = obligations.flatMap(({ max_age: age }) => (isSeconds(age) ? [age] : []));
  return {
    ...(classes.length > 0 ? { acr: [...new Set(classes)].join(' ') } : {}),
    ...(ages.length > 0 ? { maxAge: Math.min(...ages) } : {}),
  };
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function areObligations(value: unknown): value is readonly Obligation[] {
  return (
    Array.isArray(value) &&
    value.every(
      (item) => typeof memberOf(item, 'type') === 'string' && typeof memberOf(item, 'id') === 'string',
    )
  );
}

/** Shared between callers by the cache and by joined questions: none may change what another reads. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  for (const member of Object.values(value)) deepFreeze(member);
  return Object.freeze(value);
}
