import { expect, it } from 'vitest';
import type { Principal } from '../../shared/authentication/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { createMemoryRateLimiter } from '../../shared/rate-limit/rate-limiter.memory.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { createQuestionLimits } from './question-limits.ts';

const clock = { now: () => new Date(0) };
const limitsOf = (burst: { callers: number; keys: number }) =>
  createQuestionLimits({
    callers: createMemoryRateLimiter({ clock }, { ratePerSecond: 1, burst: burst.callers }),
    keys: createMemoryRateLimiter({ clock }, { ratePerSecond: 1, burst: burst.keys }),
  });
const ambient = { clock: systemClock, random: systemRandom };
const caller = {
  type: 'service_account',
  id: serviceAccountId.create(ambient),
  organizationId: organizationId.create(ambient),
} as const;
const withKey = (id: string): Principal => ({
  ...caller,
  credential: { type: 'api_key', id, fingerprint: 'abcd' },
});
const withToken: Principal = { ...caller, credential: { type: 'access_token', id: 'tok_1', keyId: 'key_1' } };

it('lets a key that runs wild take no more than is its own', () => {
  const limits = limitsOf({ callers: 10, keys: 6 });
  expect(limits.take(withKey('key_1'), 6).isAdmitted).toBe(true);
  expect(limits.take(withKey('key_1'), 1)).toEqual({ isAdmitted: false, retryAfterSeconds: 1 });
  expect(limits.take(withKey('key_2'), 4).isAdmitted).toBe(true);
});

it('holds a caller to its limit, whatever keys it has', () => {
  const limits = limitsOf({ callers: 10, keys: 6 });
  expect(limits.take(withKey('key_1'), 6).isAdmitted).toBe(true);
  expect(limits.take(withKey('key_2'), 5).isAdmitted).toBe(false);
  // What the caller was refused is not charged to its key.
  limits.giveBack(withKey('key_1'), 2);
  expect(limits.take(withKey('key_2'), 6).isAdmitted).toBe(true);
  expect(limits.take(withToken, 1).isAdmitted).toBe(false);
});

it('gives back to both', () => {
  const limits = limitsOf({ callers: 6, keys: 6 });
  expect(limits.take(withKey('key_1'), 6).isAdmitted).toBe(true);
  limits.giveBack(withKey('key_1'), 6);
  expect(limits.take(withKey('key_1'), 6).isAdmitted).toBe(true);
});
