import { describe, expect, test } from 'vitest';
import { type Decision, parseDecision } from './decision.ts';
import { endWithFacts } from './decision-lifetime.ts';
import type { PolicyInput } from './policy-input.ts';

const allow = { decision: true, code: 'permitted' };
const parse = (answer: object) => parseDecision([{ result: answer }], 'r1');

describe('the lifetime that a policy states', () => {
  test.each([
    ['none', {}, undefined],
    ['zero, which is none', { cache_seconds: 0 }, undefined],
    ['a second', { cache_seconds: 1 }, 1],
    ['the longest', { cache_seconds: 60 }, 60],
    ['more than the longest', { cache_seconds: 61 }, 60],
    ['a day', { cache_seconds: 86_400 }, 60],
    ['a lifetime of a plain denial', { decision: false, code: 'not_permitted', cache_seconds: 5 }, 5],
    ['one beside no obligation', { cache_seconds: 5, obligations: [] }, 5],
    ['one beside a binding and a rule', { cache_seconds: 5, rule: 'r', binding: 'b' }, 5],
  ])('%s is taken as it may be', (_name, answer, seconds) => {
    const decision = parse({ ...allow, ...answer });
    expect(decision?.cacheSeconds).toBe(seconds);
    // Absent and undefined are two things to whoever compares whole answers.
    expect('cacheSeconds' in (decision ?? {})).toBe(seconds !== undefined);
  });

  // Threat: what was owed, told or recorded once is taken for done at every further use.
  test.each([
    ['step-up', { decision: false, code: 'step_up_required', obligations: [{ type: 'step-up', id: 'mfa' }] }],
    ['step-up that names no obligation', { decision: false, code: 'step_up_required' }],
    ['an allow with an obligation', { obligations: [{ type: 'notify', id: 'n' }] }],
    ['an unknown subject', { decision: false, code: 'unknown_subject' }],
    ['an error', { decision: false, code: 'error' }],
    ['a privileged decision', { privileged: true }],
  ])('is dropped from %s, which stays as it is', (_name, answer) => {
    const stated = { ...allow, ...answer };
    expect(parse({ ...stated, cache_seconds: 5 })).toEqual(parse(stated));
  });

  test.each([['5'], [1.5], [-1], [null], [true], [[5]], [2 ** 53]])(
    'of %j makes the answer no decision, as any other member that is malformed',
    (seconds) => {
      expect(parse({ ...allow, cache_seconds: seconds })).toBeUndefined();
    },
  );
});

describe('a lifetime ends before what the decision was made of', () => {
  const now = 1_800_000_000;
  const bindings = (...ends: (number | undefined)[]): PolicyInput['bindings'] =>
    ends.map((end, place) => ({
      id: `bind_${place}`,
      role: 'reader',
      permissions: [],
      effect: place % 2 === 0 ? 'allow' : 'deny',
      scope: { type: 'organization', id: 'org_1' },
      ...(end === undefined ? {} : { expires_at: end }),
    }));
  const seconds = (facts: { bindings?: PolicyInput['bindings']; expires_at?: number }) => {
    const { bindings: held = [], ...state } = facts;
    const decision: Decision = { ...allow, cacheSeconds: 30 };
    const made = endWithFacts(decision, {
      now,
      organization: { id: 'org_1', status: 'active' },
      subject: { type: 'user', id: 'usr_1', known: true, status: 'active', teams: [], ...state },
      bindings: held,
      action: { name: 'read' },
      resource: { type: 'document', id: '42', properties: {} },
      context: {},
    });
    expect(made).toMatchObject(allow);
    return 'cacheSeconds' in made ? made.cacheSeconds : 'none';
  };

  // A second is left for the part of one that `now` has lost.
  test.each([
    ['nothing ends', {}, 30],
    ['everything ends later', { bindings: bindings(now + 31, undefined), expires_at: now + 99 }, 30],
    ['a grant ends first', { bindings: bindings(undefined, now + 50, now + 11), expires_at: now + 20 }, 10],
    ['a denial ends first', { bindings: bindings(now + 50, now + 11) }, 10],
    ['the subject ends first', { bindings: bindings(now + 20), expires_at: now + 3 }, 2],
    ['a binding ends within the second', { bindings: bindings(now + 1) }, 'none'],
    ['a binding has ended', { bindings: bindings(now, now - 5) }, 30],
  ])('when %s', (_name, facts, expected) => {
    expect(seconds(facts)).toBe(expected);
  });
});
