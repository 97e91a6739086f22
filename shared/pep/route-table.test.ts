import { expect, test } from 'vitest';
import { createRouteTable } from './route-table.ts';

const find = createRouteTable({
  'GET /documents/:id': 'document',
  'GET /documents/:id/notes/:note': 'note',
  'GET /admin': 'admin',
  'GET /': 'root',
});

test.each([
  ['/documents/42', 'document', { id: '42' }],
  ['/documents/a%20b', 'document', { id: 'a b' }],
  ['/documents/%73ecret', 'document', { id: 'secret' }],
  ['/documents/secret.', 'document', { id: 'secret.' }],
  ['/documents/secret;x', 'document', { id: 'secret;x' }],
  ['/documents/%252e', 'document', { id: '%2e' }],
  ['/documents/1/notes/2', 'note', { id: '1', note: '2' }],
  ['/admin', 'admin', {}],
  ['/', 'root', {}],
])('%s is the route %s', (path, value, params) => expect(find('GET', path)).toMatchObject({ value, params }));

// Threat: a spelling that the guard and the handler read as different places.
test.each([
  '//admin',
  '/admin/',
  '/ADMIN',
  '/admin.',
  '/%61dmin',
  '/admin;x',
  '/documents/',
  '/documents//notes/2',
  '/documents/a%2Fb',
  '/documents/a%5cb',
  '/documents/%2e%2e',
  '/documents/a%00',
  '/documents/a%0ab',
  '/documents/%zz',
  '/documents/%c0%af',
])('%s is no route', (path) => expect(find('GET', path)).toBeUndefined());

test('another method is no route', () => expect(find('POST', '/admin')).toBeUndefined());

test('__proto__ as a value reaches no prototype', () => {
  const found = createRouteTable({ 'GET /:__proto__': 1 })('GET', '/x');
  expect(Object.getPrototypeOf(found?.params)).toBe(Object.prototype);
});

test.each(['/documents', 'get /x', 'GET documents', 'GET /a b', 'GET /:', 'GET /x?y'])(
  'refuses to be made of %j',
  (key) => expect(() => createRouteTable({ [key]: 1 })).toThrow(TypeError),
);
