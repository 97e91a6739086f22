import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { backoffOf, type DeliveryRules, deliver, durationMs, toBinaryMode } from './delivery.ts';

const rules: DeliveryRules = { retry: 2, backoffPolicy: 'exponential', backoffDelayMs: 1, timeoutMs: 2_000 };
const event = {
  specversion: '1.0',
  id: 'é 1',
  source: 's',
  type: 't',
  datacontenttype: 'application/json',
  data: { a: 1 },
};
const closers: (() => void)[] = [];

async function sink(...answers: (number | 'reset')[]): Promise<{ url: string; seen: () => number }> {
  let seen = 0;
  const server = createServer((req, res) => {
    const answer = answers[Math.min(seen, answers.length - 1)];
    seen += 1;
    if (answer === 'reset') req.socket.destroy();
    else res.writeHead(answer ?? 500).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen: () => seen };
}

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

describe('delivery follows the retry table of Knative', () => {
  const signal = new AbortController().signal;

  test.each([500, 503, 404, 408, 409, 429, 'reset' as const])('%s is tried again', async (answer) => {
    const { url, seen } = await sink(answer, answer, 204);
    expect(await deliver({ url, event, rules, signal })).toEqual({ delivered: true });
    expect(seen()).toBe(3);
  });

  test.each([400, 401, 403, 415, 422])('%s ends at once', async (answer) => {
    const { url, seen } = await sink(answer, 204);
    expect(await deliver({ url, event, rules, signal })).toMatchObject({ delivered: false, code: answer });
    expect(seen()).toBe(1);
  });

  test('ends when the retries have ended', async () => {
    const { url, seen } = await sink(503);
    expect(await deliver({ url, event, rules, signal })).toMatchObject({ delivered: false, code: 503 });
    expect(seen()).toBe(3);
  });
});

test('backs off by the policy, and never for longer than ten seconds', () => {
  expect([1, 2, 3, 4].map((attempt) => backoffOf({ ...rules, backoffDelayMs: 200 }, attempt))).toEqual([
    200, 400, 800, 1600,
  ]);
  expect(
    [1, 2, 3].map((attempt) =>
      backoffOf({ ...rules, backoffPolicy: 'linear', backoffDelayMs: 200 }, attempt),
    ),
  ).toEqual([200, 400, 600]);
  expect(backoffOf({ ...rules, backoffDelayMs: 200 }, 12)).toBe(10_000);
});

test('sends binary mode with percent-encoded attributes', () => {
  expect(toBinaryMode(event)).toEqual({
    headers: {
      'ce-specversion': '1.0',
      'ce-id': '%C3%A9%201',
      'ce-source': 's',
      'ce-type': 't',
      'content-type': 'application/json',
    },
    body: '{"a":1}',
  });
});

test.each([
  ['PT0.2S', 200],
  ['PT570S', 570_000],
  ['PT9M30S', 570_000],
  ['PT1M', 60_000],
])('reads %s', (text, ms) => {
  expect(durationMs(text)).toBe(ms);
});

test.each(['', 'PT', '5s', 'P1D'])('refuses the duration "%s"', (text) => {
  expect(() => durationMs(text)).toThrow('is not a duration');
});
