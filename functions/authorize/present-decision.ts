import type { Decision } from '../../shared/authorization/index.ts';

/** Reasons only when asked for: clients exist that compare whole answers. */
export function presentDecision(decision: Decision, wantsReasons: boolean): string {
  if (!wantsReasons) return decision.decision ? '{"decision":true}' : '{"decision":false}';
  return JSON.stringify({ decision: decision.decision, context: toReasons(decision) });
}

export function toReasons({ code, rule, binding, obligations, revision, dataRevision }: Decision) {
  return { code, rule, binding, obligations, policy_revision: revision, data_revision: dataRevision };
}
