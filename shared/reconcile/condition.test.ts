import { expect, test } from 'vitest';
import { isTrue, replaceConditions } from './condition.ts';

const morning = new Date('2026-01-01T08:00:00Z');
const noon = new Date('2026-01-01T12:00:00Z');
const ready = (status: 'True' | 'False', message: string) =>
  ({ type: 'Ready', status, reason: 'Applied', message }) as const;

test('a condition counts its age from the change of its status, not of its words', () => {
  const first = replaceConditions([], [ready('True', '1 changed')], morning);
  const second = replaceConditions(first, [ready('True', '2 changed')], noon);
  expect(second).toEqual([{ ...ready('True', '2 changed'), since: morning.toISOString() }]);
  const third = replaceConditions(second, [ready('False', 'refused')], noon);
  expect(third).toEqual([{ ...ready('False', 'refused'), since: noon.toISOString() }]);
});

test('a condition that nobody speaks of stays, and an unknown one is not true', () => {
  const stalled = { type: 'Stalled', status: 'True', reason: 'Refused', message: '' } as const;
  const conditions = replaceConditions(
    replaceConditions([], [stalled], morning),
    [ready('False', 'no')],
    noon,
  );
  expect(isTrue(conditions, 'Stalled')).toBe(true);
  expect(isTrue(conditions, 'Ready')).toBe(false);
  expect(isTrue(conditions, 'Reconciling')).toBe(false);
});

test('a message is kept in a form that the database takes', () => {
  const [condition] = replaceConditions([], [ready('True', `a\u0000${'\u{1F600}'.repeat(2000)}`)], noon);
  const message = String(condition?.['message']);
  expect(message.isWellFormed() && !message.includes('\u0000')).toBe(true);
  expect(message.length).toBeLessThanOrEqual(2000);
});
