import { expect, test } from 'vitest';
import { readConfig } from '../../shared/config/index.ts';
import { configSchema } from './config.ts';

const required = { DATABASE_URL: 'postgres://localhost/uos', WRAPPING_KEY_FILE: '/run/key' };

test('starts with what is required alone', () => {
  expect(readConfig(configSchema, required)).toMatchObject({
    PUBLISH_LEAD_SECONDS: 600,
    JWKS_MAX_AGE_SECONDS: 300,
    ROTATION_INTERVAL_SECONDS: 2_592_000,
    SIGNING_ALGORITHMS: ['ES256', 'EdDSA'],
  });
});

test.each([
  [
    'a lead that a cached key set outlives',
    { PUBLISH_LEAD_SECONDS: '300', JWKS_MAX_AGE_SECONDS: '300' },
    'PUBLISH_LEAD_SECONDS',
  ],
  ['an interval shorter than the lead', { ROTATION_INTERVAL_SECONDS: '600' }, 'ROTATION_INTERVAL_SECONDS'],
  ['an algorithm that no key of ours is for', { SIGNING_ALGORITHMS: 'ES256,RS256' }, 'SIGNING_ALGORITHMS'],
  ['no database', { DATABASE_URL: '' }, 'DATABASE_URL'],
])('refuses to start with %s', (_what, env, name) => {
  expect(() => readConfig(configSchema, { ...required, ...env })).toThrow(name);
});
