import type { Principal } from '../../shared/authentication/index.ts';
import type { Decision, EvaluationRequest } from '../../shared/authorization/index.ts';
import type { DecisionRecorder } from '../../shared/decision-record/index.ts';
import type { Clock } from '../../shared/kernel/index.ts';

export type RecordDecisionDeps = {
  readonly decisions: Pick<DecisionRecorder, 'record'>;
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

/** For a privileged decision, what to wait for before the answer leaves: rejects when its record is not durable. */
export function recordDecision(deps: RecordDecisionDeps, made: MadeDecision): Promise<void> | undefined {
  const { caller, decision } = made;
  const { subject, action, resource, context } = made.request;
  const { credential } = caller;
  return deps.decisions.record({
    time: deps.clock.now(),
    organization: caller.organizationId,
    requestId: made.requestId,
    traceId: toTraceId(made.traceparent),
    item: made.item,
    principal: {
      type: caller.type,
      id: caller.id,
      credential: credential.type === 'api_key' ? credential.fingerprint : credential.id,
      scopes: caller.scopes,
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
    isPrivileged: isPrivilegedDecision(decision),
  });
}

const privilegedRoles: ReadonlySet<string> = new Set(['OrgOwner', 'PlatformOperator']);

/**
 * Privileged is what the policy marks, and what a binding of an owner or an operator decided. One of our bindings that
 * the facts do not name counts as one, and what another policy calls a binding does not.
 */
export function isPrivilegedDecision({ isPrivileged, binding, role }: Decision): boolean {
  if (isPrivileged === true) return true;
  if (binding === undefined) return false;
  return role === undefined ? isOurs(binding) : privilegedRoles.has(role);
}

const isOurs = (binding: string): boolean => binding.startsWith('bind_');

/** Undefined unless it is a trace id: other text would be the caller's to write into our records. */
function toTraceId(traceparent: string | undefined): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? '')?.[1];
}
