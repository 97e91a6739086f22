import { expect, test } from 'vitest';
import { readConfig } from '../../shared/config/index.ts';
import { configSchema } from './config.ts';

const required = {
  DATABASE_URL: 'postgres://localhost/uos',
  WRAPPING_KEY_FILE: '/run/key',
  ISSUER_URL: 'https://id.example',
  AUDIENCE: 'urn:uos:platform',
};

test('starts with what is required alone', () => {
  expect(readConfig(configSchema, required)).toMatchObject({ JWKS_MAX_AGE_SECONDS: 300, PORT: 8080 });
});

test.each([
  ['an issuer without TLS', { ISSUER_URL: 'http://id.example' }, 'ISSUER_URL'],
  [
    'an issuer that ends with a slash, which no client would match',
    { ISSUER_URL: 'https://id.example/' },
    'ISSUER_URL',
  ],
  ['an issuer with a path', { ISSUER_URL: 'https://id.example/tenant' }, 'ISSUER_URL'],
  ['an audience that is no resource identifier (RFC 8707)', { AUDIENCE: 'platform' }, 'AUDIENCE'],
])('refuses to start with %s', (_what, env, name) => {
  expect(() => readConfig(configSchema, { ...required, ...env })).toThrow(name);
});
