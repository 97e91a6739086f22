import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRedisFailureLedger } from '../../shared/rate-limit/failure-ledger.redis.ts';
import type { FailureLedger } from '../../shared/rate-limit/failure-limiter.ts';
import type { Admission, RateLimit } from '../../shared/rate-limit/index.ts';
import { openUpstashRedis } from '../../shared/redis/redis.upstash.ts';
import { askRedis, hasRedis, startTestRedis, type TestRedis } from '../support/redis.ts';

/** So slow that nothing comes back while a test runs. */
const standstill = { ratePerSecond: 0.001, burst: 3 };
const admitted = { isAdmitted: true };

describe.skipIf(!hasRedis)('failures counted in Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis?.close());

  function open(name: string, limit: RateLimit = standstill): FailureLedger {
    // Not a bound on speed: that this machine is slow must not look like a Redis that is away.
    const connection = openUpstashRedis(redis.bridge, { deadlineMs: 30_000 });
    return createRedisFailureLedger(connection, { name, limit });
  }

  test('are those of all instances, of each address for itself, and asking is none', async () => {
    const [first, second] = [open('together'), open('together')];
    for (let n = 0; n < 10; n++) expect(await first.ask('net')).toEqual(admitted);
    expect(await first.charge('net')).toEqual(admitted);
    expect(await second.charge('net')).toEqual(admitted);
    expect(await first.charge('net')).toMatchObject({ isAdmitted: false });
    expect(await second.ask('net')).toMatchObject({ isAdmitted: false });
    expect(await second.ask('elsewhere')).toEqual(admitted);
  });

  // Threat: as many guesses each second as there are instances, each of which lets the one through that is due.
  test('beyond the limit are a debt of at most a minute', async () => {
    const ledger = open('debt', { ratePerSecond: 0.001, burst: 1 });
    const waitSeconds = (admission: Admission) => (admission.isAdmitted ? 0 : admission.retryAfterSeconds);
    expect(waitSeconds(await ledger.charge('net'))).toBeLessThanOrEqual(1_000);
    for (let n = 0; n < 40; n++) await ledger.charge('net');
    const often = waitSeconds(await ledger.ask('net'));
    expect(often).toBeGreaterThan(1_000);
    expect(often).toBeLessThanOrEqual(1_060);
  });

  test('leave nothing behind for good', async () => {
    await open('expires').charge('net');
    await open('never failed').ask('net');
    const keys = (await askRedis(redis.bridge, ['KEYS', '*failures:*'])) as string[];
    expect(keys.some((key) => key.includes('never failed'))).toBe(false);
    expect(keys.length).toBeGreaterThan(0);
    for (const key of keys) expect(await askRedis(redis.bridge, ['PTTL', key])).toBeGreaterThan(0);
  });
});
