import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPolicyBundle } from './policy-bundle.ts';
import { compileWasmPolicy } from './wasm-policy.ts';

const bundle = await readPolicyBundle(join(import.meta.dirname, '../../policies/bundle'));
if (!bundle.ok) throw new Error(bundle.failure.detail);
const { instantiate } = await compileWasmPolicy(bundle.value);

function questionOf(characters: number): string {
  return JSON.stringify({ subject: { known: true }, context: { text: 'x'.repeat(characters) } });
}

test('an instance grows no memory from question to question', () => {
  const policy = instantiate();
  const ask = (times: number) => {
    for (let asked = 0; asked < times; asked++) policy.evaluate(questionOf(2000));
    return policy.memoryBytes();
  };
  expect(ask(20_000)).toBe(ask(100));
});

test('an instance grows for a question larger than its memory, and still answers the small ones', () => {
  const policy = instantiate();
  const before = policy.memoryBytes();
  const answer = policy.evaluate(questionOf(4_000_000));
  expect(policy.memoryBytes()).toBeGreaterThan(before);
  expect(policy.evaluate(questionOf(4))).toEqual(answer);
});

// Threat: one hostile question that makes the process hold gigabytes.
test('an instance throws rather than grow beyond its limit', () => {
  const policy = instantiate();
  expect(() => policy.evaluate(questionOf(80_000_000))).toThrow();
  expect(policy.memoryBytes()).toBeLessThanOrEqual(64 * 1024 * 1024);
});

test('instances of one module share no memory', () => {
  const [first, second] = [instantiate(), instantiate()];
  first.evaluate(questionOf(4_000_000));
  expect(second.memoryBytes()).toBeLessThan(first.memoryBytes());
});

describe('bindings that questions share', () => {
  const organization = { id: 'org_1', status: 'active' };
  const subject = { type: 'user', id: 'usr_1', known: true, status: 'active', teams: [] };
  const questionAbout = (action: string) => ({
    now: 1_800_000_000,
    organization,
    subject,
    action: { name: action },
    resource: { type: 'document', id: '42', properties: {} },
    context: {},
  });
  const bindingsOf = (actions: readonly string[]) =>
    actions.map((action, place) => ({
      id: `bind_${place} ä "`,
      role: 'some',
      permissions: [`document:${action}`],
      effect: 'allow',
      scope: { type: 'organization', id: organization.id },
      expires_at: 1_900_000_000.5,
    }));
  const actions = ['read', 'list', 'write', 'fly'];

  test('give the answers that they would give in the input, however many are kept and forgotten', () => {
    const [policy, plain] = [instantiate(), instantiate()];
    const seededPick = (count: number, n: number) => (n * 2_654_435_761) % count;
    const holders = Array.from({ length: 3_000 }, (_, n) => bindingsOf(actions.slice(n % 4)));
    for (let n = 0; n < 9_000; n++) {
      const key = holders[seededPick(holders.length, n)] ?? [];
      const question = questionAbout(actions[n % 4] ?? '');
      const shared = policy.evaluateWith({ key, json: JSON.stringify(key) }, JSON.stringify(question));
      const whole = plain.evaluate(JSON.stringify({ ...question, bindings: key }));
      expect(shared).toEqual(whole);
      // Questions of the other kind are written where they do not touch what is kept.
      if (n % 100 === 0) policy.evaluate(questionOf(100_000));
    }
    expect(policy.memoryBytes()).toBeLessThan(16 * 1024 * 1024);
  });

  test('that are no JSON throw', () => {
    const policy = instantiate();
    expect(() => policy.evaluateWith({ key: {}, json: '[' }, '{}')).toThrow();
  });
});
