import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RedisUnavailableError, redisScript } from './redis.ts';
import { openUpstashRedis } from './redis.upstash.ts';

const deadlineMs = 1_000;
const waiting: ServerResponse[] = [];
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    waiting.push(response);
    server.emit('asked');
  });
});

beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // The deadline's timers alone: connections go on in real time.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function nextRequest(): Promise<ServerResponse> {
  if (waiting.length === 0) await once(server, 'asked');
  const response = waiting.shift();
  if (response === undefined) throw new Error('nothing was asked');
  return response;
}

test('one call has one deadline, also when Redis must be sent the script', async () => {
  const { port } = server.address() as AddressInfo;
  const redis = openUpstashRedis({ url: `http://127.0.0.1:${port}`, token: 'token' }, { deadlineMs });
  let ended: unknown;
  const call = redis.evaluate(redisScript('return 1'), [], []).catch((error: unknown) => {
    ended = error;
  });
  const first = await nextRequest();
  vi.advanceTimersByTime((deadlineMs * 3) / 4);
  first.setHeader('content-type', 'application/json');
  first.end(JSON.stringify([{ error: 'NOSCRIPT No matching script' }]));
  await nextRequest();
  expect(ended).toBeUndefined();
  vi.advanceTimersByTime(deadlineMs / 4);
  await call;
  expect(ended).toBeInstanceOf(RedisUnavailableError);
});
