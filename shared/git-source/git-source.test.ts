import { describe, expect, it } from 'vitest';
import { parseGitRef, parseGitUrl } from './git-source.ts';

describe('parseGitUrl', () => {
  it.each([
    ['https://git.example/acme/people.git', 'https://git.example/acme/people.git'],
    ['http://127.0.0.1:8080/people.git', 'http://127.0.0.1:8080/people.git'],
    ['HTTPS://Git.Example/People.git', 'https://git.example/People.git'],
  ])('accepts %s', (text, url) => expect(parseGitUrl(text)).toEqual({ ok: true, value: url }));

  // Each reaches something other than a web server, or carries what must not be stored or shown.
  it.each([
    'file:///etc',
    'ext::sh -c id',
    'EXT::sh -c id',
    'ssh://git@git.example/people.git',
    'git@git.example:people.git',
    '--upload-pack=id',
    '/srv/people.git',
    '',
    'https://user@git.example/people.git',
    'https://:token@git.example/people.git',
    'https://git.example/people.git?token=1',
    'https://git.example/people.git#main',
    'https://git.example/people.git?',
  ])('refuses %j', (text) => expect(parseGitUrl(text)).toMatchObject({ failure: { field: 'url' } }));
});

describe('parseGitRef', () => {
  it.each([
    ['main', 'refs/heads/main'],
    ['refs/heads/main', 'refs/heads/main'],
    ['release/2026.1', 'refs/heads/release/2026.1'],
  ])('names %s in full', (text, ref) => expect(parseGitRef(text)).toEqual({ ok: true, value: ref }));

  it.each([
    '',
    '-main',
    '--all',
    'main..dev',
    'main.lock',
    'a.lock/b',
    'main.',
    'a//b',
    '/main',
    'main/',
    '.hidden',
    'a b',
    'a~1',
    'a^',
    'a:b',
    'a\nb',
    'refs/tags/v1',
    'refs/heads/',
    'refs/pull/1/head',
  ])('refuses %j', (text) => expect(parseGitRef(text)).toMatchObject({ failure: { field: 'ref' } }));
});
