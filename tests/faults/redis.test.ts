import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock as clock } from '../../shared/kernel/index.ts';
import type { RateLimiter } from '../../shared/rate-limit/index.ts';
import { createRedisRateLimiter } from '../../shared/rate-limit/rate-limiter.redis.ts';
import { guardRedis, type Redis, RedisUnavailableError, redisScript } from '../../shared/redis/index.ts';
import { openUpstashRedis } from '../../shared/redis/redis.upstash.ts';
import { waitUntil } from '../support/authorize-instance.ts';
import { askRedis, hasRedis, startTestRedis, type TestRedis } from '../support/redis.ts';

/** So slow that nothing comes back while a test runs. */
const limit = { ratePerSecond: 0.001, burst: 5 };
const one = redisScript('return 1');

type Instance = { readonly limiter: RateLimiter; readonly redis: Redis };

function openInstance(location: { url: string; token: string }, name: string, deadlineMs = 30_000): Instance {
  const redis = guardRedis(openUpstashRedis(location, { deadlineMs }), { pauseMs: 20 });
  return { limiter: createRedisRateLimiter({ redis, clock }, { name, limit }), redis };
}

async function admittedOf(limiter: RateLimiter, attempts: number, key = 'a'): Promise<number> {
  let admitted = 0;
  for (let n = 0; n < attempts; n++) if ((await limiter.take(key)).isAdmitted) admitted += 1;
  return admitted;
}

/** Asks until Redis has been found again, as the next callers would. */
const untilBack = ({ redis }: Instance) => waitUntil(() => isThere(redis));
const isThere = (redis: Redis) =>
  redis.ping().then(
    () => true,
    () => false,
  );

describe.skipIf(!hasRedis)('while Redis', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.close());

  test('hangs, each instance limits alone; and what it admitted stays counted when Redis goes on', async () => {
    const [first, second] = [1, 2].map(() => openInstance(redis.bridge, 'hang', 2_000));
    if (first === undefined || second === undefined) throw new Error('there are two');
    expect(await admittedOf(first.limiter, 2)).toBe(2);
    process.kill(redis.server.pid, 'SIGSTOP');
    try {
      // Not a fresh burst: two of five were taken before.
      expect(await admittedOf(first.limiter, 10)).toBe(3);
      expect(await admittedOf(second.limiter, 10)).toBe(5);
      expect(await isThere(first.redis)).toBe(false);
    } finally {
      process.kill(redis.server.pid, 'SIGCONT');
    }
    await untilBack(first);
    await untilBack(second);
    expect(await admittedOf(first.limiter, 10)).toBe(0);
    expect(await admittedOf(second.limiter, 10)).toBe(0);
  });

  test('is killed and starts with nothing, an outage and its end give nobody a fresh burst', async () => {
    const instance = openInstance(redis.bridge, 'kill');
    expect(await admittedOf(instance.limiter, 4)).toBe(4);
    process.kill(redis.server.pid, 'SIGKILL');
    expect(await admittedOf(instance.limiter, 10)).toBe(1);
    // A newcomer is served, and limited, all the same.
    expect(await admittedOf(instance.limiter, 10, 'newcomer')).toBe(5);
    await redis.restart();
    await untilBack(instance);
    expect(await admittedOf(instance.limiter, 10)).toBe(0);
    // It counts together again: a script that the new process has never seen is sent once more.
    const other = openInstance(redis.bridge, 'kill');
    expect(await admittedOf(instance.limiter, 3, 'later')).toBe(3);
    expect(await admittedOf(other.limiter, 10, 'later')).toBe(2);
    expect(await isThere(other.redis)).toBe(true);
  });
});

// Threat: limits that everybody believes to be counted together are not, and nobody is told.
describe.skipIf(!hasRedis)('a Redis whose memory is full', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.close());

  test('answers a ping all the same, and is told to be away until it writes again', async () => {
    const told: string[] = [];
    const connection = guardRedis(openUpstashRedis(redis.bridge, { deadlineMs: 30_000 }), {
      pauseMs: 20,
      onAway: () => void told.push('away'),
      onBack: () => void told.push('back'),
    });
    const limiter = createRedisRateLimiter({ redis: connection, clock }, { name: 'full', limit });
    const untilTold = (what: string) =>
      waitUntil(async () => {
        await limiter.take(`${told.length} ${Math.floor(performance.now())}`);
        return told.at(-1) === what;
      });
    await askRedis(redis.bridge, ['CONFIG', 'SET', 'maxmemory', '1']);
    expect(await askRedis(redis.bridge, ['PING'])).toBe('PONG');
    await untilTold('away');
    await askRedis(redis.bridge, ['CONFIG', 'SET', 'maxmemory', '0']);
    await untilTold('back');
    expect(told).toEqual(['away', 'back']);
  });
});

describe.skipIf(!hasRedis)('while we ourselves stall for longer than Redis may take', () => {
  let redis: TestRedis;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.close());

  /** In front of the bridge: once its answer has left for us, we stall, so that it comes while nobody reads. */
  async function stallAfterEachAnswer(ms: () => number): Promise<{ url: string; close(): void }> {
    const gate = createServer(async (req, res) => {
      const { method = 'POST', url = '/' } = req;
      const headers = { authorization: `Bearer ${redis.bridge.token}` };
      const answer = await fetch(new URL(url, redis.bridge.url), {
        method,
        headers,
        body: await buffer(req),
      });
      const body = await answer.text();
      res.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
      for (const until = performance.now() + ms(); performance.now() < until; );
    });
    await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
    const { port } = gate.address() as AddressInfo;
    const close = () => {
      gate.closeAllConnections();
      gate.close();
    };
    return { url: `http://127.0.0.1:${port}`, close };
  }

  test('Redis is not taken for slow: the answer that came meanwhile counts', async () => {
    const deadlineMs = 2_000;
    let stallMs = 0;
    const gate = await stallAfterEachAnswer(() => stallMs);
    const connection = openUpstashRedis({ ...redis.bridge, url: gate.url }, { deadlineMs });
    // From here on it is a warm connection and a script that Redis has seen: one request.
    expect(await connection.evaluate(one, [], [])).toBe(1);
    stallMs = deadlineMs + 200;
    expect(await connection.evaluate(one, [], [])).toBe(1);
    gate.close();
  });
});

describe('a Redis that answers', () => {
  const servers: Server[] = [];
  let requests = 0;
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
    requests = 0;
  });

  async function serveWith(answer: RequestListener): Promise<{ url: string; token: string }> {
    const server = createServer((req, res) => {
      requests += 1;
      answer(req, res);
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    return { url: `http://127.0.0.1:${port}`, token: 'any' };
  }

  test.each<[string, RequestListener]>([
    ['500', (_req, res) => void res.writeHead(500).end('{"error":"ERR out of order"}')],
    ['500 with a page', (_req, res) => void res.writeHead(500).end('<html>bad gateway</html>')],
    [
      'with the quota spent',
      (_req, res) => void res.writeHead(400).end('{"error":"ERR max requests limit"}'),
    ],
    ['with no JSON', (_req, res) => void res.end('<html>a login page</html>')],
    ['with an empty object', (_req, res) => void res.end('{}')],
    ['with a text for a number', (_req, res) => void res.end('{"result":"aGVsbG8="}')],
    ['with a negative number', (_req, res) => void res.end('{"result":-1}')],
    ['with a list', (_req, res) => void res.end('{"result":[0]}')],
    [
      'with half an answer',
      (_req, res) => void res.writeHead(200, { 'content-length': '99' }).write('{"res'),
    ],
    ['by hanging up', (req) => void req.socket.destroy()],
    ['never', () => undefined],
  ])('%s neither opens the door nor closes it', async (_what, answer) => {
    const { limiter } = openInstance(await serveWith(answer), 'nonsense', 100);
    expect(await admittedOf(limiter, 20)).toBe(5);
  });

  test('too late is given up on, and is asked once and not again for each caller', async () => {
    const { redis } = openInstance(await serveWith(() => undefined), 'late', 1_000);
    const calls = Array.from({ length: 20 }, () => redis.evaluate(one, [], []));
    const reasons = (await Promise.allSettled(calls)).map(
      (call) => call.status === 'rejected' && call.reason,
    );
    expect(reasons.every((reason) => reason instanceof RedisUnavailableError)).toBe(true);
    // What is asked together is one request.
    expect(requests).toBe(1);
    await expect(redis.evaluate(one, [], [])).rejects.toThrow('left alone');
    expect(requests).toBe(1);
  });

  // Threat: what a client sends twice is counted twice.
  test('with a fault is sent nothing a second time', async () => {
    const location = await serveWith((req) => void req.socket.destroy());
    const redis = openUpstashRedis(location, { deadlineMs: 1_000 });
    await expect(redis.evaluate(one, [], [])).rejects.toThrow(RedisUnavailableError);
    expect(requests).toBe(1);
  });
});

test('where no Redis listens, an instance limits alone', async () => {
  const { limiter } = openInstance({ url: 'http://127.0.0.1:9', token: 'any' }, 'nobody');
  expect(await admittedOf(limiter, 20)).toBe(5);
});
