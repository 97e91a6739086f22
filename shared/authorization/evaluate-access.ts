import { type Clock, invariant, toNumericDate } from '../kernel/index.ts';
import type { EvaluationRequest } from './authzen.ts';
import { type Decision, refuseForError } from './decision.ts';
import type { PolicyEngine } from './policy-engine.ts';
import type { PolicyInput } from './policy-input.ts';
import type { SubjectFacts, SubjectFactsSource } from './subject-facts.ts';

export type EvaluateAccessDeps = {
  readonly facts: SubjectFactsSource;
  readonly engine: Pick<PolicyEngine, 'evaluate'>;
  readonly clock: Clock;
};

/**
 * Answers one question within one organization. The policy decides; this gathers facts and the time. Free of side
 * effects. Facts that cannot be had are a refusal with code `error`, whose `cause` the caller should log.
 */
export async function evaluateAccess(
  deps: EvaluateAccessDeps,
  { organizationId, request }: { organizationId: string; request: EvaluationRequest },
): Promise<Decision> {
  try {
    const facts = await deps.facts.find(organizationId, {
      type: request.subject.type,
      id: request.subject.id,
    });
    invariant(facts.organization.id === organizationId, 'the facts are of another organization');
    return deps.engine.evaluate(toPolicyInput(facts, request, toNumericDate(deps.clock.now())));
  } catch (cause) {
    return refuseForError(cause);
  }
}

export function toPolicyInput(facts: SubjectFacts, request: EvaluationRequest, now: number): PolicyInput {
  const { subject, action, resource, context } = request;
  const { known, status, teams } = facts.subject;
  return {
    now,
    organization: facts.organization,
    subject: { type: subject.type, id: subject.id, known, status, teams, ...attributes(subject.properties) },
    bindings: facts.bindings,
    action: { name: action.name, ...attributes(action.properties) },
    resource: { type: resource.type, id: resource.id, properties: resource.properties ?? {} },
    context: context ?? {},
  };
}

function attributes(properties: Readonly<Record<string, unknown>> | undefined) {
  return properties === undefined ? {} : { properties };
}
