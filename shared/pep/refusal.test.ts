import { expect, test } from 'vitest';
import { type StepUp, undecided } from './outcome.ts';
import { toRefusal } from './refusal.ts';

const challenge = (stepUp: StepUp) =>
  toRefusal({ outcome: 'step_up', decision: false, stepUp, context: {} })?.headers['www-authenticate'];

test('an allow is not refused', () => {
  expect(toRefusal({ outcome: 'allow', decision: true, context: {} })).toBeUndefined();
});

test('a denial is 403 and does not say which rule', () => {
  const refusal = toRefusal({
    outcome: 'deny',
    decision: false,
    obligations: [],
    context: { code: 'forbidden', rule: 'denied_by_binding', binding: 'bind_1' },
  });
  expect(refusal?.status).toBe(403);
  expect(refusal?.headers['content-type']).toBe('application/problem+json');
  expect(refusal?.body).not.toMatch(/forbidden|binding/);
});

test('no decision is 503 and does not say what failed', () => {
  const refusal = toRefusal(undecided({ code: 'decision_point.timeout', cause: new Error('10.0.0.7') }));
  expect(refusal?.status).toBe(503);
  expect(refusal?.headers['retry-after']).toBe('1');
  expect(refusal?.body).not.toMatch(/timeout|10\.0/);
});

test('step-up is 401 with the challenge of RFC 9470', () => {
  expect(challenge({ acr: 'https://refeds.org/profile/mfa', maxAge: 300 })).toBe(
    'Bearer error="insufficient_user_authentication", ' +
      'error_description="A different authentication level is required", ' +
      'acr_values="https://refeds.org/profile/mfa", max_age="300"',
  );
  expect(challenge({})).not.toMatch(/acr_values|max_age/);
});

// Threat: header injection through the policy's data.
test.each(['a"b', 'a\\b', 'a\r\nset-cookie: x', 'ä'])(
  'leaves out the acr %j, which cannot be quoted',
  (acr) => {
    expect(challenge({ acr })).not.toContain('acr_values');
  },
);
