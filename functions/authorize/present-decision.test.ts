import { describe, expect, test } from 'vitest';
import type { Decision } from '../../shared/authorization/index.ts';
import { presentDecision } from './present-decision.ts';

const allow: Decision = { decision: true, code: 'permitted', rule: 'r', revision: 'p1', dataRevision: 7 };
const reasons = '"code":"permitted","rule":"r","policy_revision":"p1","data_revision":7';

describe('an answer', () => {
  test('without a lifetime is the same to the byte as it always was', () => {
    expect(presentDecision(allow, false)).toBe('{"decision":true}');
    expect(presentDecision(allow, true)).toBe(`{"decision":true,"context":{${reasons}}}`);
  });

  // Clients that compare whole answers do not ask for reasons.
  test('tells its lifetime beside the reasons, and to nobody who asks for none', () => {
    const kept = { ...allow, cacheSeconds: 30 };
    expect(presentDecision(kept, true)).toBe(`{"decision":true,"context":{${reasons},"cache_seconds":30}}`);
    expect(presentDecision(kept, false)).toBe('{"decision":true}');
  });

  // Threat: what an owner may do is used again and again, and the record shows it once.
  test.each([
    ['an owner’s binding decided', { binding: 'bind_1', role: 'OrgOwner' }],
    ['an operator’s binding decided', { binding: 'bind_1', role: 'PlatformOperator' }],
    ['a binding decided that the facts do not name', { binding: 'bind_1' }],
    ['the policy marks it', { isPrivileged: true }],
  ] as const)('has no lifetime when %s', (_name, privileged) => {
    const answer = presentDecision({ ...allow, ...privileged, cacheSeconds: 30 }, true);
    expect(answer).toBe(presentDecision({ ...allow, ...privileged }, true));
  });
});
