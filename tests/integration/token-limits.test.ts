import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTokenFunction } from '../../functions/token/create-token-function.ts';
import type { IssuedApiKey } from '../../shared/api-key/index.ts';
import { createFunctionServer, serve } from '../../shared/http/index.ts';
import { systemClock as clock, systemRandom as random } from '../../shared/kernel/index.ts';
import type { CallerLimits } from '../../shared/rate-limit/index.ts';
import { openCallerLimits } from '../../shared/rate-limit/open-rate-limiter.ts';
import { guardRedis } from '../../shared/redis/index.ts';
import { openUpstashRedis } from '../../shared/redis/redis.upstash.ts';
import { rotateSigningKeys } from '../../shared/signing-key/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { waitUntil } from '../support/authorize-instance.ts';
import { testLimits } from '../support/limits.ts';
import { hasRedis, startTestRedis, type TestRedis } from '../support/redis.ts';
import { seedOrganization } from '../support/seed-organization.ts';
import { openTokenParts } from '../support/token-parts.ts';
import { openSigningKeyFixture, type SigningKeyFixture } from './signing-key-fixture.ts';

let fixture: SigningKeyFixture;
let key: IssuedApiKey;
let secondKey: IssuedApiKey;
let account: string;
const closers: (() => Promise<void>)[] = [];

/** So slow that nothing comes back while a test runs. */
const standstill = (burst: number) => ({ ratePerSecond: 0.001, burst });

beforeAll(async () => {
  fixture = await openSigningKeyFixture(clock);
  const acme = await seedOrganization(fixture.pool, { serviceAccounts: ['ci'] });
  account = acme.idOf('ci');
  key = await fixture.apiKeys.issue(acme, 'ci');
  secondKey = await fixture.apiKeys.issue(acme, 'ci');
  await rotateSigningKeys(fixture.rotation);
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});
afterAll(() => fixture.close());

type Ask = (
  secret: string,
  from?: string,
  scope?: string,
) => Promise<{ status: number; headers: Headers; body: unknown }>;

/** One instance behind one proxy, which tells where a request comes from. */
async function startInstance(limits: CallerLimits): Promise<Ask> {
  const token = await createTokenFunction({
    ...(await openTokenParts(fixture, clock)),
    limits,
    issuer: 'https://token.example.test',
    audience: 'urn:uos:test',
  });
  const name = `token-${randomBytes(4).toString('hex')}`;
  const options = { name, listener: token.listener, isReady: token.isReady, trustedHops: 1 };
  const server = createFunctionServer({ clock, random, logger: silentLogger }, options);
  const served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1', closers: [token.close] });
  closers.push(served.close);
  await waitUntil(async () => token.isReady());
  return async (secret, from = '192.0.2.1', scope) => {
    const response = await fetch(`http://127.0.0.1:${served.port}/token`, {
      method: 'POST',
      headers: { 'x-forwarded-for': from },
      body: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: account,
        client_secret: secret,
        ...(scope === undefined ? {} : { scope }),
      }),
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };
}

const statuses = async (ask: Ask, count: number, secret: string, from?: string) => {
  const answers: number[] = [];
  for (let n = 0; n < count; n++) answers.push((await ask(secret, from)).status);
  return answers;
};
const times = (count: number, status: number) => Array<number>(count).fill(status);

describe('an address whose clients fail', () => {
  test('is refused beyond its limit, and others are not', async () => {
    const ask = await startInstance(testLimits({ failures: standstill(3) }));
    expect(await statuses(ask, 5, 'wrong')).toEqual([401, 401, 401, 429, 429]);
    const refused = await ask(key.text);
    expect(refused).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await ask(key.text, '192.0.2.2')).status).toBe(200);
  });

  // Threat: one host takes another address of its /64, or another spelling, for each attempt.
  test('is its /64, however it is written', async () => {
    const ask = await startInstance(testLimits({ failures: standstill(3) }));
    const spellings = ['2001:db8::1', '2001:DB8:0:0:ffff::2', '2001:db8::3%eth0', '[2001:db8::4]:443'];
    const answers: number[] = [];
    for (const spelling of spellings) answers.push((await ask('wrong', spelling)).status);
    expect(answers).toEqual([401, 401, 401, 429]);
    expect((await ask('wrong', '2001:db8:0:1::1')).status).toBe(401);
  });

  test('is not one whose clients succeed', async () => {
    const ask = await startInstance(testLimits({ failures: standstill(3) }));
    expect(await statuses(ask, 10, key.text)).toEqual(times(10, 200));
  });

  // Threat: one job that asks for what it may not have shuts out all that share its address.
  test('is not one whose clients prove who they are and ask for what they may not have', async () => {
    const limits = { failures: standstill(3), callers: standstill(6) };
    const ask = await startInstance(testLimits(limits));
    const answers: number[] = [];
    for (let n = 0; n < 8; n++) answers.push((await ask(key.text, undefined, 'no/scope')).status);
    // They pay for it themselves.
    expect(answers).toEqual([...times(6, 400), 429, 429]);
    expect(await statuses(ask, 4, 'wrong')).toEqual([401, 401, 401, 429]);
  });
});

test('a key, and a caller with all its keys, gets no more tokens than its limit, and none is recorded', async () => {
  const ask = await startInstance(testLimits({ keys: standstill(2), callers: standstill(3) }));
  const before = await fixture.eventsOf('uos.token.issued.v1');
  const refused = await statuses(ask, 4, key.text);
  expect(refused).toEqual([200, 200, 429, 429]);
  expect(await statuses(ask, 2, secondKey.text)).toEqual([200, 429]);
  expect((await fixture.eventsOf('uos.token.issued.v1')).length - before.length).toBe(3);
});

// Threat: whoever knows a client's id, which is no secret, shuts it out by failing in its name.
test('failing in the name of a client takes nothing from that client', async () => {
  const ask = await startInstance(testLimits({ callers: standstill(2), failures: standstill(50) }));
  expect(await statuses(ask, 20, 'wrong', '198.51.100.9')).toEqual(times(20, 401));
  expect(await statuses(ask, 2, key.text)).toEqual([200, 200]);
});

describe.skipIf(!hasRedis)('with Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis?.close());

  function limitsOf(name: string): CallerLimits {
    const connection = guardRedis(openUpstashRedis(redis.bridge, { deadlineMs: 30_000 }), {
      pauseMs: 60_000,
    });
    const generous = { ratePerSecond: 1e6, burst: 1e6 };
    return openCallerLimits({ clock, redis: connection }, name, {
      failures: standstill(4),
      keys: generous,
      callers: generous,
    });
  }

  test('two instances count one address together; when it dies each goes on, and limits alone', async () => {
    const [first, second] = [await startInstance(limitsOf('both')), await startInstance(limitsOf('both'))];
    expect(await statuses(first, 2, 'wrong')).toEqual([401, 401]);
    expect(await statuses(second, 3, 'wrong')).toEqual([401, 401, 429]);
    process.kill(redis.server.pid, 'SIGKILL');
    expect(await statuses(first, 4, 'wrong')).toEqual([401, 401, 429, 429]);
    expect(await statuses(first, 8, key.text, '192.0.2.7')).toEqual(times(8, 200));
    expect(await statuses(first, 6, 'wrong', '192.0.2.8')).toEqual([...times(4, 401), 429, 429]);
  });
});
