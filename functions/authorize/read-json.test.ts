import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDepthMax, readJson } from './read-json.ts';

const read = (text: string | Buffer) => readJson('application/json', Buffer.from(text));
const detailOf = (text: string | Buffer) => {
  const outcome = read(text);
  return outcome.ok ? undefined : outcome.failure.detail;
};

describe('the JSON of a body', () => {
  it('is read as JSON.parse reads it, whatever it holds', () => {
    const readsTheSame = (value: unknown, indent: number) => {
      const text = JSON.stringify(value, undefined, indent);
      expect(read(text)).toEqual({ ok: true, value: JSON.parse(text) });
    };
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), fc.nat(3), readsTheSame));
  });

  // A gateway that takes the first and a decision point that takes the last answer two different questions.
  it.each([
    '{"id":"alice","id":"bob"}',
    String.raw`{"id":"alice","\u0069d":"bob"}`,
    '{"a":[{"b":1},{"b":2,"b":2}]}',
    '{"__proto__":1,"__proto__":2}',
    String.raw`{"a\\":{"b":"\"","b":":"}}`,
  ])('is refused when a member stands twice, as in %s', (text) => {
    expect(detailOf(text)).toBe('The body has a member twice');
  });

  it.each(['{":":":","\\"":"{[:"}', '{"a":{"a":{"a":[]}}}', '{"__proto__":{"__proto__":1}}', '7', 'null'])(
    'is taken when none does, as in %s',
    (text) => expect(read(text).ok).toBe(true),
  );

  it('is taken to its greatest depth and refused beyond it', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
    expect(read(nested(jsonDepthMax)).ok).toBe(true);
    expect(detailOf(nested(jsonDepthMax + 1))).toBe('The body is nested deeper than 32 levels');
    expect(detailOf(nested(30_000))).toBe('The body is nested deeper than 32 levels');
  });

  it('is refused when it is not UTF-8, not JSON, or not there', () => {
    expect(detailOf(Buffer.from([0x22, 0xff, 0x22]))).toBe('The body is not UTF-8');
    expect(detailOf('{')).toBe('The body is not JSON');
    expect(detailOf('')).toBe('The body is not JSON');
  });
});
