import { describe, expect, test } from 'vitest';
import { labelsMax, labelsSchema, parseLabelFilter } from './labels.ts';

const numbered = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`label-${n}`, 'x']));

describe('labels', () => {
  test.each([
    ['none', {}],
    ['words', { team: 'payments', env: 'prod' }],
    ['names with inner marks', { 'app.kubernetes.io/part-of': 'uos', a_b: 'c' }],
    ['an empty value, and one with marks', { spot: '', image: 'registry:5000/app-1.2_x' }],
    ['as many as there may be', numbered(labelsMax)],
    ['the longest', { ['a'.repeat(63)]: 'b'.repeat(63) }],
  ])('may be %s', (_, labels) => {
    expect(labelsSchema.safeParse(labels).success).toBe(true);
  });

  test.each([
    ['one more than there may be', numbered(labelsMax + 1)],
    ['a name that is too long', { ['a'.repeat(64)]: '' }],
    ['a value that is too long', { a: 'b'.repeat(64) }],
    ['an empty name', { '': 'x' }],
    ['capitals in a name', { Team: 'x' }],
    ['a number', { a: 1 }],
    ['what separates labels in a filter', { a: 'b,c' }],
    ['an equals sign', { a: 'b=c' }],
    // Threat: labels are copied everywhere; they must not invite what is about persons.
    ['an e-mail address', { owner: 'ada@example.test' }],
    ['prose', { why: 'for the release' }],
    ['direction-changing characters', { a: 'x\u202Ey' }],
    ['a list', ['a']],
  ])('may not be %s', (_, labels) => {
    expect(labelsSchema.safeParse(labels).success).toBe(false);
  });

  test('never change what every object inherits', () => {
    expect(labelsSchema.parse(JSON.parse('{"__proto__":"x"}'))).toEqual({});
  });
});

describe('a filter by labels', () => {
  test.each([
    ['team=payments', { team: 'payments' }],
    ['team=payments,env=prod', { team: 'payments', env: 'prod' }],
    ['spot=', { spot: '' }],
  ])('%s names them all', (text, labels) => {
    expect(parseLabelFilter(text)).toEqual(labels);
  });

  test.each([
    '',
    'team',
    '=x',
    'team=a,team=b',
    'team=a,,env=b',
    'team=a=b',
    'Team=a',
    '__proto__=x',
    'a=b,__proto__=x',
  ])('"%s" is refused, never read as fewer labels', (text) => {
    expect(parseLabelFilter(text)).toBeUndefined();
  });
});
