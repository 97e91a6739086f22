import { expect, it } from 'vitest';
import type { Principal } from '../../shared/authentication/index.ts';
import { createMemorySubjectFacts } from '../../shared/authorization/index.ts';
import { fail, ok, systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { createMemoryRateLimiter } from '../../shared/rate-limit/rate-limiter.memory.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createAnswerSearch } from './answer-search.ts';
import { createQuestionLimits } from './question-limits.ts';

const ambient = { clock: systemClock, random: systemRandom };

function createCaller(): Principal {
  return {
    type: 'service_account',
    id: serviceAccountId.create(ambient),
    organizationId: organizationId.create(ambient),
    credential: { type: 'access_token', id: 'tok_1', keyId: 'jwk_1' },
  };
}
const [a, b] = [createCaller(), createCaller()];

function setUp({ list = async () => ok(['read', 'write']), burst = 1_000 } = {}) {
  const limiter = createMemoryRateLimiter({ clock: { now: () => new Date(0) } }, { ratePerSecond: 1, burst });
  const search = createAnswerSearch({
    authenticator: {
      authenticate: async (credential) =>
        credential === 'a' || credential === 'b'
          ? ok(credential === 'a' ? a : b)
          : fail({ code: 'credential.invalid', reason: 'unknown' }),
    },
    mayAsk: () => Promise.reject(new Error('not asked')),
    questionLimits: createQuestionLimits({ callers: limiter, keys: limiter }),
    decisions: { record: () => undefined, isAccepting: () => true },
    facts: createMemorySubjectFacts(),
    engine: { evaluate: () => ({ decision: true, code: 'permitted', revision: 'r1' }) },
    candidates: { list },
    turns: async () => undefined,
    keyRing: {
      seal: async () => Buffer.from('sealed'),
      open: async () => Promise.reject(new Error('not asked')),
    },
    clock: systemClock,
    logger: silentLogger,
  });
  return (who: 'a' | 'b') => {
    const { type, id } = who === 'a' ? a : b;
    const body = Buffer.from(
      JSON.stringify({ subject: { type, id }, resource: { type: 'document', id: '1' } }),
    );
    const call = { authorization: who, contentType: 'application/json', body };
    return search('action', { ...call, requestId: 'req_1', clientAddress: '::1' });
  };
}

// Threat: one caller with sixteen connections keeps every other tenant's searches at 503.
it('answers others while one organization has as many searches running as one may', async () => {
  const held = Promise.withResolvers<ReturnType<typeof ok<string[]>>>();
  let isHeld = true;
  const ask = setUp({ list: () => (isHeld ? held.promise : Promise.resolve(ok(['read']))) });
  const running = Array.from({ length: 4 }, () => ask('a'));
  expect(await ask('a')).toMatchObject({ failure: { code: 'service.overloaded' } });
  isHeld = false;
  expect(await ask('b')).toEqual(ok('{"results":[{"name":"read"}]}'));
  held.resolve(ok(['write']));
  expect((await Promise.all(running)).every((answer) => answer.ok)).toBe(true);
  expect(await ask('a')).toMatchObject({ ok: true });
});

it('costs the caller a unit for each candidate, and one for the search', async () => {
  const ask = setUp({ burst: 5 });
  expect(await ask('a')).toMatchObject({ ok: true });
  expect(await ask('a')).toMatchObject({ failure: { code: 'rate_limit.exceeded' } });
  expect(await ask('b')).toMatchObject({ ok: true });
});
