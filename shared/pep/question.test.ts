import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { type Question, toKey, toQuestionWire } from './question.ts';

const text = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom('a', '|', ':', '1', '"', '\0') });
const attributes = fc.option(
  fc.dictionary(fc.constantFrom('a', 'b', '1', '__proto__'), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 2 }),
  { nil: undefined },
);
const question = fc
  .record({
    type: text,
    id: text,
    name: text,
    of: text,
    what: text,
    p: fc.tuple(attributes, attributes, attributes, attributes),
  })
  .map(
    ({ type, id, name, of, what, p: [first, second, third, context] }): Question => ({
      subject: { type, id, ...(first === undefined ? {} : { properties: first }) },
      action: { name, ...(second === undefined ? {} : { properties: second }) },
      resource: { type: of, id: what, ...(third === undefined ? {} : { properties: third }) },
      ...(context === undefined ? {} : { context }),
    }),
  );

const keyOf = (asked: Question) => toKey(toQuestionWire(asked)?.members ?? []);

// OpenFGA CVE-2024-56323: checks that differed only in context shared one entry.
test('two questions have one key exactly when the same JSON is asked', () => {
  fc.assert(
    fc.property(question, question, (a, b) => {
      expect(keyOf(a) === keyOf(b)).toBe(toQuestionWire(a)?.json === toQuestionWire(b)?.json);
    }),
    { numRuns: 2000 },
  );
});

test('a question that differs in any one member has another key', () => {
  const asked: Question = {
    subject: { type: 'user', id: 'a', properties: { x: 1 } },
    action: { name: 'read', properties: { x: 1 } },
    resource: { type: 'doc', id: 'a', properties: { x: 1 } },
    context: { x: 1 },
  };
  const others: Question[] = [
    { ...asked, subject: { ...asked.subject, type: 'robot' } },
    { ...asked, subject: { ...asked.subject, id: 'b' } },
    { ...asked, subject: { ...asked.subject, properties: { x: 2 } } },
    { ...asked, subject: { type: 'user', id: 'a' } },
    { ...asked, action: { ...asked.action, name: 'write' } },
    { ...asked, action: { ...asked.action, properties: { x: '1' } } },
    { ...asked, resource: { ...asked.resource, type: 'user' } },
    { ...asked, resource: { ...asked.resource, id: 'b' } },
    { ...asked, resource: { ...asked.resource, properties: {} } },
    { ...asked, context: { x: 1, y: null } },
    { ...asked, context: {} },
    { subject: asked.subject, action: asked.action, resource: asked.resource },
  ];
  expect(new Set([asked, ...others].map(keyOf)).size).toBe(others.length + 1);
});

test('the order of members does not matter', () => {
  const parts = {
    subject: { type: 'user', id: 'a' },
    action: { name: 'read' },
    resource: { type: 'd', id: '1' },
  };
  expect(keyOf({ ...parts, context: { a: 1, b: { c: 1, d: 2 } } })).toBe(
    keyOf({ ...parts, context: { b: { d: 2, c: 1 }, a: 1 } }),
  );
});

// Threat: `a|b` and `c` taken for `a` and `b|c`.
test('the same text cut elsewhere has another key', () => {
  const whole = fc.string({ minLength: 2, maxLength: 12, unit: fc.constantFrom('a', ':', '1', '2', '|') });
  fc.assert(
    fc.property(whole, fc.nat(12), fc.nat(12), (all, i, j) => {
      fc.pre(Math.min(i, all.length) !== Math.min(j, all.length));
      expect(toKey([all.slice(0, i), all.slice(i)])).not.toBe(toKey([all.slice(0, j), all.slice(j)]));
    }),
  );
});

describe('is no question', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic['self'] = cyclic;
  const whole = {
    subject: { type: 'user', id: 'a' },
    action: { name: 'read' },
    resource: { type: 'd', id: '1' },
  };
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['without a subject', { ...whole, subject: undefined }],
    ['an empty id', { ...whole, subject: { type: 'user', id: '' } }],
    ['a parameter that was missing', { ...whole, resource: { type: 'd', id: undefined } }],
    ['a number for a name', { ...whole, action: { name: 1 } }],
    ['properties that are a list', { ...whole, action: { name: 'read', properties: [] } }],
    ['context that is a text', { ...whole, context: 'x' }],
    ['a cycle', { ...whole, context: cyclic }],
    ['a BigInt', { ...whole, context: { n: 1n } }],
  ])('%s', (_name, value) => expect(toQuestionWire(value as Question)).toBeUndefined());
});
