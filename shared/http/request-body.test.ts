import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { type BodyOutcome, createBodyReader } from './request-body.ts';

function readOne(limits = { bytesMax: 10, timeoutMs: 8_000 }) {
  const req = Object.assign(new PassThrough(), { headers: {} });
  const outcomes: BodyOutcome[] = [];
  createBodyReader(limits).read(req as never, (outcome) => outcomes.push(outcome));
  return { req, outcomes };
}

test('gives a body that came in pieces, once', async () => {
  const { req, outcomes } = readOne();
  const closed = once(req, 'close');
  req.write('ab');
  req.end('cd');
  await closed;
  expect(outcomes).toEqual([{ ok: true, value: Buffer.from('abcd') }]);
});

test('refuses a body as soon as it is past the limit, whatever length was declared', async () => {
  const { req, outcomes } = readOne();
  req.write('0123456789a');
  await vi.waitFor(() =>
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'request.body_too_large' } }]),
  );
});

test('refuses a connection that closes before its body has come', async () => {
  const { req, outcomes } = readOne();
  req.write('a');
  req.destroy();
  await vi.waitFor(() =>
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'request.malformed' } }]),
  );
});

// Threat: a caller that sends a byte now and then and holds a connection for ever (slow loris).
test('refuses a body that trickles, after the time it has and not before', () => {
  vi.useFakeTimers();
  try {
    const { req, outcomes } = readOne();
    req.write('a');
    vi.advanceTimersByTime(8_000);
    expect(outcomes).toEqual([]);
    vi.advanceTimersByTime(1_000);
    expect(outcomes).toMatchObject([{ ok: false, failure: { code: 'request.body_timeout' } }]);
  } finally {
    vi.useRealTimers();
  }
});
