import { type Clock, invariant, toNumericDate } from '../kernel/index.ts';
import type { EvaluationRequest } from './authzen.ts';
import { type Decision, refuseForError } from './decision.ts';
import { endWithFacts } from './decision-lifetime.ts';
import { demandFreshFacts } from './fresh-subject-facts.ts';
import { narrowScopes } from './narrow-scopes.ts';
import type { ServedPolicyEngine } from './policy-engine.ts';
import type { PolicyInput, ResourceProperties } from './policy-input.ts';
import type { ResourceFacts, SubjectFacts, SubjectFactsSource } from './subject-facts.ts';

export type EvaluateAccessDeps = {
  readonly facts: SubjectFactsSource;
  readonly engine: Pick<ServedPolicyEngine, 'evaluate'>;
  readonly clock: Clock;
};

export type AccessQuestion = {
  readonly organizationId: string;
  readonly request: EvaluationRequest;
  /** The `dataRevision` of an earlier answer: this one rests on facts that are no older. */
  readonly minDataRevision?: number;
};

/**
 * Answers one question within one organization. The policy decides; this gathers facts and the time. Free of side
 * effects. Facts that cannot be had, or not as new as demanded, are a refusal with code `error`, whose `cause` the
 * caller should log.
 */
export async function evaluateAccess(deps: EvaluateAccessDeps, question: AccessQuestion): Promise<Decision> {
  try {
    const facts = await findFacts(deps.facts, question);
    const input = toPolicyInput(facts, question.request, toNumericDate(deps.clock.now()));
    const decision = await deps.engine.evaluate(input);
    const made = { ...decision, ...restedOn(facts, decision) };
    return made.cacheSeconds === undefined ? made : endWithFacts(made, input);
  } catch (cause) {
    return refuseForError(cause);
  }
}

function restedOn(facts: SubjectFacts, { binding }: Decision): Pick<Decision, 'role' | 'dataRevision'> {
  const role = binding === undefined ? undefined : facts.bindings.find(({ id }) => id === binding)?.role;
  return {
    ...(role === undefined ? {} : { role }),
    ...(facts.revision === undefined ? {} : { dataRevision: facts.revision.data }),
  };
}

async function findFacts(source: SubjectFactsSource, question: AccessQuestion): Promise<SubjectFacts> {
  const { organizationId, request, minDataRevision } = question;
  const { subject, resource } = request;
  const facts = await demandFreshFacts(source, minDataRevision).find(
    organizationId,
    { type: subject.type, id: subject.id },
    { resource: { type: resource.type, id: resource.id } },
  );
  invariant(facts.organization.id === organizationId, 'the facts are of another organization');
  // Threat: a source that leaves the look-up out would let the request say what the registration should.
  const isLookedUp = facts.resource !== undefined || !facts.resourceTypes?.includes(resource.type);
  invariant(isLookedUp, 'the resource was not looked up');
  return facts;
}

export function toPolicyInput(facts: SubjectFacts, request: EvaluationRequest, now: number): PolicyInput {
  const { subject, action, context } = request;
  const resource = toResourceInput(facts.resource, request.resource);
  return {
    now,
    organization: facts.organization,
    subject: { type: subject.type, id: subject.id, ...facts.subject, ...attributes(subject.properties) },
    bindings: narrowScopes(facts.bindings, resource),
    action: { name: action.name, ...attributes(action.properties) },
    resource,
    context: context ?? {},
  };
}

function toResourceInput(
  facts: SubjectFacts['resource'],
  { type, id, properties = {} }: EvaluationRequest['resource'],
): PolicyInput['resource'] {
  if (facts === undefined || facts === null) return { type, id, properties };
  return { type, id, registered: true, properties: toRegistered(facts, properties) };
}

/**
 * The registration's word over the caller's. Team and owner are its alone, absent where it names none: else a caller
 * could put a resource into a team of its choice. The asking organization is never the registration's to say.
 */
function toRegistered(facts: ResourceFacts, stated: ResourceProperties): ResourceProperties {
  const { team: _team, owner: _owner, ...others } = stated;
  return {
    ...others,
    ...facts.attributes,
    ...(facts.team === undefined ? {} : { team: facts.team }),
    ...(facts.owner === undefined ? {} : { owner: facts.owner }),
    ...('organization' in stated ? { organization: stated.organization } : {}),
  };
}

function attributes(properties: Readonly<Record<string, unknown>> | undefined) {
  return properties === undefined ? {} : { properties };
}
