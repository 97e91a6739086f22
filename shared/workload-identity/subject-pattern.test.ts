import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isSubjectPattern, matchesSubject } from './subject-pattern.ts';

describe('a pattern', () => {
  test.each([
    'repo:acme/app:ref:refs/heads/main',
    'repo:acme/app:ref:refs/heads/release-*',
    'repo:acme/*:environment:prod',
    'system:serviceaccount:ci:builder',
    'system:serviceaccount:ci:*',
    'project_path:acme/*:ref_type:branch:ref:main',
    'organization:acme:project:*:workspace:*',
    'pulumi:deploy:org:acme:project:*',
    'repo:acme@65/*:ref:*',
    'acme-app:*',
    'AAA*',
    'repository:acme/*',
    '112233445566778899000',
    'a',
  ])('may be %s', (pattern) => expect(isSubjectPattern(pattern)).toBe(true));

  // Threat: a rule that everybody's token matches.
  test.each([
    ['a wildcard alone', '*'],
    ['wildcards alone', '***'],
    ['wildcards and separators', '*:*:*'],
    ['a wildcard first', '*:acme/app'],
    ['two characters before its wildcard', 're*'],
    ['punctuation before its wildcard', ':/-*'],
    ['five wildcards', 'repo:*/*/*/*/*'],
    ['a kind that is open', 'rep*:acme/app'],
    ['a kind whose end is open', 'system:*:ci:builder'],
    ['any namespace', 'system:serviceaccount:*:*'],
    ['any namespace of a name', 'system:serviceaccount:ci-*:builder'],
    ['any repository', 'repo:*:*'],
    ['any owner', 'repo:*/app:ref:refs/heads/main'],
    ['owners of a prefix', 'repo:acme*/app:*'],
    ['no owner', 'repo:/*'],
    ['any group of a GitLab', 'project_path:*:ref_type:branch:ref:main'],
    ['any organization', 'organization:*:pipeline:deploy'],
    ['any organization of Pulumi', 'pulumi:deploy:org:*:project:site'],
    ['any account', 'account:*:pipeline:x'],
    ['nothing', ''],
    ['a space', 'repo:a b'],
    ['a line end', 'repo:a\n'],
    ['more than 512 characters', 'x'.repeat(513)],
  ])('is not %s', (_what, pattern) => expect(isSubjectPattern(pattern)).toBe(false));
});

describe('a subject', () => {
  test.each([
    ['repo:acme/app:ref:refs/heads/main', 'repo:acme/app:ref:refs/heads/main'],
    ['repo:acme/app:ref:refs/heads/*', 'repo:acme/app:ref:refs/heads/feature/x'],
    ['repo:acme/*:environment:prod', 'repo:acme/app:environment:prod'],
    ['repo:acme/*-*-x', 'repo:acme/a-b-c-x'],
    ['repo:acme/*', 'repo:acme/'],
  ])('%s is matched by %s', (pattern, subject) => expect(matchesSubject(pattern, subject)).toBe(true));

  test.each([
    ['repo:acme/app', 'repo:acme/app2'],
    ['repo:acme/app', 'Repo:acme/app'],
    ['repo:acme/app:*', 'repo:acme/app'],
    // Threat: a name that a caller chooses and that holds the separator, to reach what the pattern wants of a later part.
    ['repo:acme/*:environment:prod', 'repo:acme/x:ref:y:environment:prod'],
    ['repo:acme/*', 'repo:acme/app:pull_request'],
    ['repo:acme/*', 'repo:acme-evil/app'],
    ['aaa*aab', 'aaab'],
    ['repo.acme', 'repoxacme'],
  ])('%s does not match %s', (pattern, subject) => expect(matchesSubject(pattern, subject)).toBe(false));

  test('matches exactly when the same pattern as a regular expression does', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', ':'), maxLength: 12 });
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', ':', '*'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (wanted, given) => {
        const asRegExp = new RegExp(`^${wanted.replaceAll('*', '[^:]*')}$`);
        expect(matchesSubject(wanted, given)).toBe(asRegExp.test(given));
      }),
      { numRuns: 2_000 },
    );
  });
});
