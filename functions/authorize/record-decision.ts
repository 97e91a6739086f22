import type { Principal } from '../../shared/authentication/index.ts';
import {
  type Decision,
  type EvaluationRequest,
  type SubjectFactsSource,
  toCaller,
} from '../../shared/authorization/index.ts';
import type { DecisionRecorder } from '../../shared/decision-record/index.ts';
import type { Clock } from '../../shared/kernel/index.ts';

export type RecordDecisionDeps = {
  readonly decisions: Pick<DecisionRecorder, 'record'>;
  readonly facts: SubjectFactsSource;
  readonly clock: Clock;
};

export type MadeDecision = {
  readonly caller: Principal;
  readonly request: EvaluationRequest;
  readonly decision: Decision;
  readonly requestId: string;
  /** As the caller sent it: W3C Trace Context section 3.2. */
  readonly traceparent?: string | undefined;
  /** Place in a batch, from 0. */
  readonly item?: number;
};

/** Resolves when the answer may leave: for a privileged decision, when its record is durable. Rejects when it is not. */
export async function recordDecision(deps: RecordDecisionDeps, made: MadeDecision): Promise<void> {
  const { caller, decision } = made;
  const { subject, action, resource, context } = made.request;
  const { credential } = caller;
  const time = deps.clock.now();
  const isPrivileged = await isPrivilegedDecision(deps, made);
  await deps.decisions.record({
    time,
    organization: caller.organizationId,
    requestId: made.requestId,
    traceId: toTraceId(made.traceparent),
    item: made.item,
    principal: {
      type: caller.type,
      id: caller.id,
      credential: credential.type === 'api_key' ? credential.fingerprint : credential.id,
      scopes: toCaller(caller).scopes,
    },
    subject: { type: subject.type, id: subject.id },
    action: action.name,
    resource: { type: resource.type, id: resource.id },
    attributes: {
      subject: subject.properties,
      action: action.properties,
      resource: resource.properties,
      context,
    },
    decision: decision.decision,
    code: decision.code,
    rule: decision.rule,
    binding: decision.binding,
    policyRevision: decision.revision ?? '',
    dataRevision: decision.dataRevision,
    isPrivileged,
  });
}

const privilegedRoles: ReadonlySet<string> = new Set(['OrgOwner', 'PlatformOperator']);

/**
 * Privileged is what the policy marks, and what a binding of an owner or an operator decided. Asked of the cached
 * facts that were decided on; one of our bindings that has gone since counts as one, and what another policy calls a
 * binding does not.
 */
async function isPrivilegedDecision(
  { facts }: Pick<RecordDecisionDeps, 'facts'>,
  { caller, request, decision }: MadeDecision,
): Promise<boolean> {
  if (decision.isPrivileged === true) return true;
  if (decision.binding === undefined) return false;
  const { type, id } = request.subject;
  const { bindings } = await facts.find(caller.organizationId, { type, id });
  const binding = bindings.find((each) => each.id === decision.binding);
  return binding === undefined ? isOurs(decision.binding) : privilegedRoles.has(binding.role);
}

const isOurs = (binding: string): boolean => binding.startsWith('bind_');

/** Undefined unless it is a trace id: other text would be the caller's to write into our records. */
function toTraceId(traceparent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? '')?.[1];
}
