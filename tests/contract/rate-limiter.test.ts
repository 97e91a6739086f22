import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock as clock } from '../../shared/kernel/index.ts';
import type { RateLimit, RateLimiter } from '../../shared/rate-limit/index.ts';
import { createMemoryRateLimiter } from '../../shared/rate-limit/rate-limiter.memory.ts';
import { createRedisRateLimiter } from '../../shared/rate-limit/rate-limiter.redis.ts';
import { createSettlingRateLimiter } from '../../shared/rate-limit/rate-limiter.settling.ts';
import { openUpstashRedis } from '../../shared/redis/redis.upstash.ts';
import { askRedis, hasRedis, startTestRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis | undefined;
beforeAll(async () => {
  redis = hasRedis ? await startTestRedis() : undefined;
});
afterAll(async () => {
  for (const close of closers) await close();
  await redis?.close();
});
const closers: (() => Promise<void>)[] = [];

/** Not a bound on speed: that this machine is slow must not look like a Redis that is away. */
const deadlineMs = 30_000;
let limits = 0;

function openInstance(limit: RateLimit, name: string): RateLimiter {
  if (redis === undefined) throw new Error('no Redis');
  const connection = openUpstashRedis(redis.bridge, { deadlineMs });
  return createRedisRateLimiter({ redis: connection, clock }, { name, limit });
}

const inMemory = (limit: RateLimit): RateLimiter => createMemoryRateLimiter({ clock }, limit);
const inRedis = (limit: RateLimit) => openInstance(limit, `contract-${limits++}`);

function inSettling(limit: RateLimit): RateLimiter {
  return openSettling(limit, `contract-${limits++}`);
}

function openSettling(limit: RateLimit, name: string, periodMs = 10) {
  if (redis === undefined) throw new Error('no Redis');
  const connection = openUpstashRedis(redis.bridge, { deadlineMs });
  const limiter = createSettlingRateLimiter({ redis: connection, clock }, { name, limit, periodMs });
  closers.push(limiter.close);
  return limiter;
}

/** Two instances of a function behind one address, asked in turn; what was taken is given back where it was taken. */
function inTwoInstances(limit: RateLimit): RateLimiter {
  const name = `contract-${limits++}`;
  let [current, other] = [openInstance(limit, name), openInstance(limit, name)];
  return {
    take: (key, cost) => {
      [current, other] = [other, current];
      return current.take(key, cost);
    },
    giveBack: (key, cost) => current.giveBack(key, cost),
  };
}

/** By the clock that a limiter reads, to its whole milliseconds: a timer alone may fire one too early. */
async function pausePast(ms: number): Promise<void> {
  const from = clock.now().getTime();
  for (let left = ms; left >= 0; left = from + ms - clock.now().getTime()) await pause(left + 1);
}

/** The longest delay of a timer: the test settles, turn by turn. */
const neverMs = 2_147_483_647;

/** So slow that nothing comes back while a test runs. */
const standstill = { ratePerSecond: 0.001, burst: 5 };

describe.each([
  { name: 'in memory', open: inMemory, skip: false },
  { name: 'in a real Redis', open: inRedis, skip: !hasRedis },
  { name: 'in memory, settled with a real Redis', open: inSettling, skip: !hasRedis },
  { name: 'in a real Redis, two instances', open: inTwoInstances, skip: !hasRedis },
])('a limit $name', ({ open, skip }) => {
  const isAdmitted = async (limiter: RateLimiter, key: string, cost?: number) =>
    (await limiter.take(key, cost)).isAdmitted;

  test.skipIf(skip)('admits a burst and then no more, and says when to come back', async () => {
    const limiter = open(standstill);
    const taken: boolean[] = [];
    for (let n = 0; n < 7; n++) taken.push(await isAdmitted(limiter, 'a'));
    expect(taken).toEqual([true, true, true, true, true, false, false]);
    const refused = await limiter.take('a');
    expect(refused.isAdmitted ? 0 : refused.retryAfterSeconds).toBeGreaterThan(900);
  });

  test.skipIf(skip)('admits exactly a burst of what arrives together', async () => {
    const limiter = open({ ratePerSecond: 0.001, burst: 40 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => isAdmitted(limiter, 'a')));
    expect(answers.filter(Boolean)).toHaveLength(40);
  });

  test.skipIf(skip)('does not count what it refuses', async () => {
    const limiter = open({ ratePerSecond: 2, burst: 2 });
    while (await isAdmitted(limiter, 'a', 2));
    const knocking = AbortSignal.timeout(20_000);
    // Were refusals counted, knocking without a pause would keep the door shut for ever.
    while (!(await isAdmitted(limiter, 'a'))) knocking.throwIfAborted();
  });

  test.skipIf(skip)('never admits more than the burst and what the rate gave meanwhile', async () => {
    const limiter = open({ ratePerSecond: 40, burst: 3 });
    const startedAt = performance.now();
    let admitted = 0;
    for (let n = 0; n < 120; n++) {
      if (await isAdmitted(limiter, 'a')) admitted += 1;
      const given = ((performance.now() - startedAt) / 1_000) * 40;
      // The one beyond is for the millisecond to which a local clock reads.
      expect(admitted).toBeLessThanOrEqual(3 + given + 1);
      await pause(1);
    }
    expect(admitted).toBeGreaterThan(3);
  });

  test.skipIf(skip)('admits after the time it named', async () => {
    const limiter = open({ ratePerSecond: 1, burst: 1 });
    expect(await isAdmitted(limiter, 'a')).toBe(true);
    const refused = await limiter.take('a');
    expect(refused).toEqual({ isAdmitted: false, retryAfterSeconds: 1 });
    await pausePast(1_000);
    expect(await isAdmitted(limiter, 'a')).toBe(true);
  });

  test.skipIf(skip)('charges by cost, and never admits a cost above the burst', async () => {
    const limiter = open(standstill);
    expect(await isAdmitted(limiter, 'a', 6)).toBe(false);
    expect(await isAdmitted(limiter, 'a', 4)).toBe(true);
    expect(await isAdmitted(limiter, 'a', 2)).toBe(false);
    expect(await isAdmitted(limiter, 'a', 1)).toBe(true);
  });

  // Threat: a key that looks like another's, or is as long as an attacker likes.
  test.skipIf(skip)('keeps keys apart, whatever they hold', async () => {
    const limiter = open({ ratePerSecond: 0.001, burst: 1 });
    const keys = [
      'a',
      'a ',
      'A',
      '',
      'a:b',
      'a\nb',
      'ü',
      '\ud800',
      '*',
      'x'.repeat(10_000),
      'x'.repeat(10_001),
    ];
    for (const key of keys) expect([key, await isAdmitted(limiter, key)]).toEqual([key, true]);
    for (const key of keys) expect([key, await isAdmitted(limiter, key)]).toEqual([key, false]);
  });

  test.skipIf(skip)('takes back what is given back, and never more than a burst', async () => {
    const limiter = open(standstill);
    await limiter.giveBack('never taken');
    for (let n = 0; n < 20; n++) {
      expect(await isAdmitted(limiter, 'a')).toBe(true);
      await limiter.giveBack('a');
    }
    for (let n = 0; n < 5; n++) await limiter.giveBack('a', 5);
    const answers = await Promise.all(Array.from({ length: 10 }, () => isAdmitted(limiter, 'a')));
    expect(answers.filter(Boolean)).toHaveLength(5);
  });
});

describe.skipIf(!hasRedis)('what Redis keeps of a limit', () => {
  const stored = async () => {
    if (redis === undefined) throw new Error('no Redis');
    const { bridge } = redis;
    const keys = (await askRedis(bridge, ['KEYS', 'uos:limit:*'])) as string[];
    const read = async (key: string) => ({
      key,
      value: await askRedis(bridge, ['GET', key]),
      expiresInMs: Number(await askRedis(bridge, ['PTTL', key])),
    });
    return Promise.all(keys.map(read));
  };

  test('is gone as soon as it means nothing: a flood of addresses leaves nothing behind', async () => {
    const limiter = openInstance({ ratePerSecond: 10, burst: 5 }, 'expiring');
    for (let n = 0; n < 20; n++) await limiter.take(`203.0.113.${n}`);
    const deadline = AbortSignal.timeout(20_000);
    const left = async () => (await stored()).filter(({ key }) => key.includes('expiring'));
    for (const { expiresInMs } of await left()) expect(expiresInMs).toBeLessThanOrEqual(500);
    while ((await left()).length > 0) deadline.throwIfAborted();
  });

  // Threat: a copy of Redis tells who asked, or a key.
  test('names nobody, and every entry ends', async () => {
    const limiter = openInstance(standstill, 'blind');
    const secrets = ['203.0.113.77', 'uos_secret_text'];
    for (const secret of secrets) await limiter.take(secret);
    const entries = await stored();
    expect(entries.filter(({ key }) => key.includes('blind'))).toHaveLength(2);
    for (const secret of secrets) expect(JSON.stringify(entries)).not.toContain(secret);
    for (const { expiresInMs } of entries) expect(expiresInMs).not.toBe(-1);
  });

  test('does not shut anybody out for an instant that lies too far ahead, as after a clock is set back', async () => {
    if (redis === undefined) throw new Error('no Redis');
    const limiter = openInstance(standstill, 'ahead');
    await limiter.take('a', 5);
    const [entry] = (await stored()).filter(({ key }) => key.includes('ahead'));
    await askRedis(redis.bridge, [
      'SET',
      entry?.key ?? '',
      String(Number(entry?.value) + 3.6e9),
      'PX',
      60_000,
    ]);
    // Another instance, which has not counted anything itself.
    expect(await openInstance(standstill, 'ahead').take('a')).toEqual({ isAdmitted: true });
  });

  test('limits of two names, and of one name with other numbers, count apart', async () => {
    const one = { ratePerSecond: 0.001, burst: 1 };
    for (const limiter of [
      openInstance(one, 'first'),
      openInstance(one, 'second'),
      openInstance({ ...one, burst: 2 }, 'first'),
    ])
      expect((await limiter.take('a')).isAdmitted).toBe(true);
  });
});

describe.skipIf(!hasRedis)('a limit that two instances settle afterwards', () => {
  const admitted = (limiter: { take(key: string): { isAdmitted: boolean } }, attempts: number) =>
    Array.from({ length: attempts }, () => limiter.take('a').isAdmitted).filter(Boolean).length;

  test('is the limit of both: what one admits, the other learns', async () => {
    const limit = { ratePerSecond: 0.001, burst: 20 };
    const [first, second] = [openSettling(limit, 'both'), openSettling(limit, 'both')];
    expect(admitted(first, 30)).toBe(20);
    await first.settle();
    expect(admitted(second, 1)).toBe(1);
    await second.settle();
    expect(second.take('a')).toMatchObject({ isAdmitted: false });
    expect(admitted(second, 30)).toBe(0);
  });

  test('over time lets through what the rate gives, however many instances are asked', async () => {
    const limit = { ratePerSecond: 100, burst: 10 };
    const instances = [1, 2, 3, 4].map(() => openSettling(limit, 'over time', neverMs));
    const startedAt = performance.now();
    let total = 0;
    for (let turns = 0; turns < 50 || performance.now() - startedAt < 2_000; turns++) {
      for (const instance of instances) total += admitted(instance, 5);
      await Promise.all(instances.map((instance) => instance.settle()));
      await pause(1);
    }
    const seconds = (performance.now() - startedAt) / 1_000;
    // A burst for each instance, once, and what came between two settlements, which is paid back.
    expect(total).toBeLessThanOrEqual(100 * seconds + 3 * instances.length * limit.burst);
    expect(total).toBeGreaterThanOrEqual(100);
  });
});
