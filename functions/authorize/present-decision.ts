import type { Decision } from '../../shared/authorization/index.ts';
import { isPrivilegedDecision } from './record-decision.ts';

/** Reasons only when asked for: clients exist that compare whole answers. */
export function presentDecision(decision: Decision, wantsReasons: boolean): string {
  if (!wantsReasons) return decision.decision ? '{"decision":true}' : '{"decision":false}';
  return JSON.stringify({ decision: decision.decision, context: toReasons(decision) });
}

export function toReasons(decision: Decision) {
  const { code, rule, binding, obligations, revision, dataRevision } = decision;
  return {
    code,
    rule,
    binding,
    obligations,
    policy_revision: revision,
    data_revision: dataRevision,
    cache_seconds: toCacheSeconds(decision),
  };
}

/** A privileged decision is owed its record each time, and an answer that is used again leaves none. */
function toCacheSeconds(decision: Decision): number | undefined {
  const { cacheSeconds } = decision;
  return cacheSeconds === undefined || isPrivilegedDecision(decision) ? undefined : cacheSeconds;
}
