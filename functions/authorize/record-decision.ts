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
};

export function recordDecision(deps: RecordDecisionDeps, made: MadeDecision): void {
  const { caller, decision } = made;
  const { subject, action, resource } = made.request;
  const { credential } = caller;
  deps.decisions.record({
    time: deps.clock.now(),
    organization: caller.organizationId,
    requestId: made.requestId,
    principal: {
      type: caller.type,
      id: caller.id,
      credential: credential.type === 'api_key' ? credential.fingerprint : credential.id,
    },
    subject: { type: subject.type, id: subject.id },
    action: action.name,
    resource: { type: resource.type, id: resource.id },
    decision: decision.decision,
    code: decision.code,
    rule: decision.rule,
    binding: decision.binding,
    policyRevision: decision.revision ?? '',
  });
}
