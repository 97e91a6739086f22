import { expect, test } from 'vitest';
import { createFailureLimiter } from '../rate-limit/failure-limiter.memory.ts';
import { limitLookUps } from './limit-look-ups.ts';

const from = { address: '192.0.2.1' };
const refused = {
  ok: false,
  failure: { code: 'rate_limit.exceeded', retryAfterSeconds: 1_000, detail: expect.any(String) },
};

function setUp() {
  const clock = { now: () => new Date(1_800_000_000_000) };
  const failures = createFailureLimiter({ clock }, { ratePerSecond: 0.001, burst: 2 });
  const state = { asked: 0 };
  const limited = limitLookUps({ failures }, 100);
  const lookUp = (digest: string, isRight: boolean, origin: typeof from | undefined = from) =>
    limited(
      { digest, from: origin },
      {
        run: async () => {
          state.asked += 1;
          return isRight;
        },
        hasFailed: (found) => !found,
      },
    );
  return { state, lookUp };
}

test('a network whose credentials are wrong too often has none looked up, and others have', async () => {
  const { state, lookUp } = setUp();
  for (const digest of ['a', 'b']) expect(await lookUp(digest, false)).toEqual({ ok: true, value: false });
  expect(await lookUp('good', true)).toEqual(refused);
  expect(state.asked).toBe(2);
  expect(await lookUp('good', true, { address: '192.0.2.2' })).toMatchObject({ ok: true });
});

// Threat: behind a mesh all share one address, and one that floods would end the others when they are forgotten.
test('a credential that was proven before is looked up again, whatever its neighbours do', async () => {
  const { lookUp } = setUp();
  await lookUp('good', true);
  for (const digest of ['a', 'b', 'c']) await lookUp(digest, false);
  expect(await lookUp('good', true)).toEqual({ ok: true, value: true });
});

test('a credential that no longer holds counts as any other wrong one', async () => {
  const { state, lookUp } = setUp();
  await lookUp('revoked', true);
  for (let n = 0; n < 10; n++) await lookUp('revoked', false);
  expect(state.asked).toBe(4);
  expect(await lookUp('good', true)).toEqual(refused);
});
