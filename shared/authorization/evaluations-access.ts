import type { EvaluationRequest, EvaluationRequestFailure } from './authzen.ts';
import type { Decision } from './decision.ts';
import { type EvaluateAccessDeps, evaluateAccess } from './evaluate-access.ts';
import type { EvaluationsRequest, EvaluationsSemantic } from './evaluations-request.ts';
import { holdSubjectFacts } from './held-subject-facts.ts';
import { createSlices, type WorkTurns } from './work-turns.ts';

export type EvaluateBatchDeps = EvaluateAccessDeps & { readonly turns: WorkTurns };

/** What became of one item: a decision, or why it could not be asked. */
export type EvaluationOutcome =
  | { readonly request: EvaluationRequest; readonly decision: Decision }
  | { readonly failure: EvaluationRequestFailure };

/**
 * Answers the items of one request in their order, until the semantic says that it is enough. All are of one instant
 * and of one set of facts per subject. Every item is decided on its own, the same one twice too: no decision is looked
 * up by what a question looks like, so no two can be mixed up. Throws when the facts could not be had.
 */
export async function evaluateBatch(
  deps: EvaluateBatchDeps,
  { organizationId, batch }: { organizationId: string; batch: EvaluationsRequest },
): Promise<readonly EvaluationOutcome[]> {
  const now = deps.clock.now();
  const requests = batch.items.flatMap(({ request }) => (request.ok ? [request.value] : []));
  const facts = await holdSubjectFacts(deps.facts, organizationId, requests);
  const held = { ...deps, facts, clock: { now: () => now } };
  const slice = createSlices(deps);
  const outcomes: EvaluationOutcome[] = [];
  for (const { request } of batch.items) {
    const outcome = request.ok
      ? {
          request: request.value,
          decision: await evaluateAccess(held, { organizationId, request: request.value }),
        }
      : { failure: request.failure };
    outcomes.push(outcome);
    if (isEnough(batch.semantic, outcome)) break;
    await slice();
  }
  return outcomes;
}

/** A failure counts as a denial, AuthZEN 1.0 section 7.1.2.1. */
function isEnough(semantic: EvaluationsSemantic, outcome: EvaluationOutcome): boolean {
  const isPermitted = 'decision' in outcome && outcome.decision.decision;
  if (semantic === 'deny_on_first_deny') return !isPermitted;
  return semantic === 'permit_on_first_permit' && isPermitted;
}
