import { join } from 'node:path';
import { expect, test } from 'vitest';
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
