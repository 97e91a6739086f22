import { Redis } from '@upstash/redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasRedis, startTestRedis, type TestRedis } from '../support/redis.ts';

let redis: TestRedis;
let client: Redis;

const every = ['plain', '', 'wörld', '{"a":1}', '12', 'a\u0000b\n', '"quoted"', 'OK'];

describe.skipIf(!hasRedis)("Upstash's own client over the bridge", () => {
  beforeAll(async () => {
    redis = await startTestRedis();
    client = open();
  });
  afterAll(() => redis?.close());

  const open = (change: { responseEncoding?: false } = {}) =>
    new Redis({
      ...redis.bridge,
      retry: { retries: 0 },
      enableTelemetry: false,
      automaticDeserialization: false,
      ...change,
    });

  test.each([
    { name: 'base64', change: {} },
    { name: 'plain', change: { responseEncoding: false as const } },
  ])('reads back what it wrote, in $name', async ({ change }) => {
    const plain = open(change);
    for (const value of every) {
      expect(await plain.set('text', value)).toBe('OK');
      expect(await plain.get('text')).toBe(value);
    }
    await plain.del('list');
    await plain.rpush('list', ...every);
    // The client takes a nested "OK" for base64; the protocol cannot tell them apart.
    expect((await plain.lrange('list', 0, -1)).slice(0, -1)).toEqual(every.slice(0, -1));
    expect([await plain.get('absent'), await plain.incr('number')]).toEqual([null, expect.any(Number)]);
  });

  test('sends several commands at once, each with its own answer', async () => {
    await client.set('word', 'x');
    const pipeline = client.pipeline().set('word', 'y').lpush('word', 'z').get('word');
    const answers = await pipeline.exec({ keepErrors: true });
    expect(answers.map(({ result, error }) => result ?? error)).toEqual([
      'OK',
      expect.stringContaining('WRONGTYPE'),
      'y',
    ]);
  });

  test('sends a transaction, which is done as a whole or not at all', async () => {
    await client.del('count');
    expect(await client.multi().incr('count').incr('count').exec()).toEqual([1, 2]);
    const malformed = [['INCR', 'count'], ['INCR']];
    const response = await post('/multi-exec', JSON.stringify(malformed));
    expect([response.status, await client.get('count')]).toEqual([400, '2']);
  });

  test('gets the errors of Redis as errors', async () => {
    await expect(client.evalsha('0'.repeat(40), [], [])).rejects.toThrow('NOSCRIPT');
  });
});

const post = (path: string, body: string, token = redis.bridge.token) =>
  fetch(redis.bridge.url + path, { method: 'POST', headers: { authorization: `Bearer ${token}` }, body });

describe.skipIf(!hasRedis)('the bridge refuses', () => {
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis?.close());

  test.each([
    ['another token', '/', '["PING"]', 401, 'wrong'],
    ['what is no command', '/', '{"command":"PING"}', 400, undefined],
    ['an empty command', '/', '[]', 400, undefined],
    ['a command with an object in it', '/', '["SET","a",{}]', 400, undefined],
    ['no JSON', '/', 'PING', 400, undefined],
    ['an empty pipeline', '/pipeline', '[]', 400, undefined],
    ['a pipeline of no commands', '/pipeline', '["PING"]', 400, undefined],
    ['a command that waits', '/', '["BLPOP","a","0"]', 400, undefined],
    ['a command that changes the shared connection', '/', '["SELECT","1"]', 400, undefined],
    ['such a command in a transaction', '/multi-exec', '[["PING"],["MULTI"]]', 400, undefined],
    ['more than a megabyte', '/', JSON.stringify(['SET', 'a', 'x'.repeat(1_048_576)]), 413, undefined],
    ['another address', '/get/a', '', 404, undefined],
  ])('%s, with an error that says so', async (_what, path, body, status, token) => {
    const response = await post(path, body, token);
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual({ error: expect.any(String) });
  });
});
