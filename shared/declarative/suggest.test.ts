import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, suggest } from './suggest.ts';

test.each([
  ['membrs', 'members'],
  ['memebrs', 'members'],
  ['MEMBERS', 'members'],
  ['parnet', 'parent'],
  ['orgowner', 'OrgOwner'],
])('%s was meant as %s', (written, meant) => {
  expect(suggest(written, ['displayName', 'parent', 'members', 'OrgOwner'])).toBe(meant);
});

test.each(['', 'x', 'colour', 'm'.repeat(100)])('nothing is suggested for "%s"', (written) => {
  expect(suggest(written, ['displayName', 'parent', 'members'])).toBeUndefined();
});

test('the edit distance is a distance: zero only for equal words, symmetric, at most the longer length', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b);
      expect(distance === 0).toBe(a === b);
      expect(editDistance(b, a)).toBe(distance);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
