import { describe, expect, test } from 'vitest';
import { DeadlineError, isTransientError } from './index.ts';

const withCode = (code: unknown) => Object.assign(new Error('x'), { code });

describe('an error is transient', () => {
  test.each(['ECONNREFUSED', '08006', '53300', '57P01', '57014', '55P03', '40001'])('by code %s', (code) => {
    expect(isTransientError(withCode(code))).toBe(true);
  });

  test('by its cause', () =>
    expect(isTransientError(new Error('outer', { cause: withCode('57P03') }))).toBe(true));

  test('when a deadline passed', () => expect(isTransientError(new DeadlineError('x'))).toBe(true));
});

describe('an error is not transient', () => {
  // 23505 unique violation, 42501 insufficient privilege, 42P01 undefined table: bugs, which retrying hides.
  test.each(['23505', '42501', '42P01', 'ERR_ASSERTION', 8006])('by code %s', (code) => {
    expect(isTransientError(withCode(code))).toBe(false);
  });

  // A message may be a caller's own text.
  test('by its message', () => expect(isTransientError(new Error('ECONNREFUSED'))).toBe(false));

  test('when causes go round in a circle', () => {
    const error = new Error('x');
    error.cause = error;
    expect(isTransientError(error)).toBe(false);
  });
});
