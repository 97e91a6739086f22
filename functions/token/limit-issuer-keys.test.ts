import type { JWTVerifyGetKey } from 'jose';
import { beforeEach, expect, test } from 'vitest';
import { fail, ok } from '../../shared/kernel/index.ts';
import type { IssuerKeys } from '../../shared/remote-jwks/index.ts';
import { testLimits } from '../../tests/support/limits.ts';
import { limitIssuerKeys } from './limit-issuer-keys.ts';

const failuresMax = 3;
const getKey: JWTVerifyGetKey = () => {
  throw new Error('nothing is verified here');
};
let asked: string[];
let keys: Pick<IssuerKeys, 'find'>;

/** Issuers named "held" are remembered, "old" for too long, "good" can be had, and all others cannot. */
const issuerKeys: IssuerKeys = {
  held: ({ issuer }) => (issuer === 'held' ? getKey : undefined),
  believed: (issuer) => (issuer === 'old' ? getKey : undefined),
  find: async ({ issuer }) => {
    asked.push(issuer);
    if (issuer === 'good') return ok(getKey);
    return fail({ code: 'issuer_keys.unavailable', reason: 'unreachable' });
  },
};
const find = (issuer: string, organizationId = 'org_a') =>
  keys.find({ issuer, kid: undefined, organizationId });

beforeEach(() => {
  asked = [];
  // So slow that no machine's pause lets one more in.
  const failures = { ratePerSecond: 1e-6, burst: failuresMax };
  keys = limitIssuerKeys(testLimits({ failures }), issuerKeys);
});

// Threat: a tenant whose issuer never answers asks for it again and again, and pays nothing for it.
test('an organization whose issuers fail too often is answered without looking for them', async () => {
  for (let place = 0; place < failuresMax; place++) await find('bad');
  expect(await find('bad')).toMatchObject({ failure: { reason: 'too_many_failures' } });
  expect(asked).toHaveLength(failuresMax);
});

test('which costs no other organization anything, nor itself the keys that are held', async () => {
  for (let place = 0; place < failuresMax; place++) await find('bad');
  expect(await find('good', 'org_b')).toMatchObject({ ok: true });
  expect(await find('held')).toMatchObject({ ok: true });
  expect(await find('old')).toMatchObject({ ok: true });
});

test('keys that can be had cost nothing', async () => {
  for (let place = 0; place < 2 * failuresMax; place++)
    expect(await find('good')).toMatchObject({ ok: true });
});
