import { type RequestOptions, request } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import {
  createApp,
  createFunctionServer,
  type FunctionOptions,
  type Served,
  serve,
  toEventListener,
  toListener,
} from './index.ts';

const deps = { clock: systemClock, random: systemRandom, logger: silentLogger };
const running: Served[] = [];
let named = 0;

async function start(options: Omit<FunctionOptions, 'name'>): Promise<Served> {
  named += 1;
  const server = createFunctionServer(deps, { name: `host-test-${named}`, ...options });
  const served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
  running.push(served);
  return served;
}

type Answer = { status: number; headers: Record<string, unknown>; body: string };

function ask(
  served: Served,
  options: RequestOptions,
  write?: (send: ReturnType<typeof request>) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port: served.port, ...options }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () =>
        resolve({
          status: res.statusCode ?? 0,
          headers: res.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sending.on('error', reject);
    if (write === undefined) sending.end();
    else write(sending);
  });
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((served) => served.close()));
});

function echoApp(): FunctionOptions['listener'] {
  const app = createApp(silentLogger);
  app.post('/echo', async (c) => c.json({ body: await c.req.text(), address: c.env.context.clientAddress }));
  app.get('/fails', () => {
    throw new Error('an internal detail');
  });
  return toListener(app);
}

describe('a function', () => {
  test('receives the exact bytes of a body, whatever its content type', async () => {
    const served = await start({ listener: echoApp() });
    for (const type of ['application/json', 'text/plain', undefined]) {
      const headers = type === undefined ? {} : { 'content-type': type };
      const answer = await ask(served, { method: 'POST', path: '/echo', headers }, (send) =>
        send.end('{ "a" : 1 }'),
      );
      expect(JSON.parse(answer.body)).toMatchObject({ body: '{ "a" : 1 }' });
    }
  });

  test('never sees a body over the cap, declared or not', async () => {
    let seen = 0;
    const served = await start({
      bodyBytesMax: 100,
      listener: (_req, res) => {
        seen += 1;
        res.end();
      },
    });
    const declared = await ask(served, { method: 'POST', headers: { 'content-length': '101' } }, (send) =>
      send.flushHeaders(),
    );
    const chunked = await ask(served, { method: 'POST' }, (send) => {
      send.write('x'.repeat(60));
      send.write('x'.repeat(60));
    });
    expect([declared.status, chunked.status, seen]).toEqual([413, 413, 0]);
    expect(JSON.parse(chunked.body)).toMatchObject({
      code: 'request.body_too_large',
      detail: 'The body may hold at most 100 bytes',
    });
  });

  test('gets the request id of the caller back on success and on errors, and a new one for a forged one', async () => {
    const served = await start({ listener: echoApp() });
    const named = await ask(served, { path: '/nowhere', headers: { 'x-request-id': 'caller-7' } });
    const spaced = await ask(served, { path: '/nowhere', headers: { 'x-request-id': 'order 42' } });
    const forged = await ask(served, { path: '/nowhere', headers: { 'x-request-id': 'a\tb' } });
    const long = await ask(served, { path: '/nowhere', headers: { 'x-request-id': 'x'.repeat(257) } });
    expect(named.headers['x-request-id']).toBe('caller-7');
    expect(JSON.parse(named.body)).toMatchObject({ status: 404, instance: 'urn:uos:request:caller-7' });
    expect(spaced.headers['x-request-id']).toBe('order 42');
    expect(JSON.parse(spaced.body)).toMatchObject({ instance: 'urn:uos:request:order%2042' });
    expect(forged.headers['x-request-id']).toMatch(/^req_/);
    expect(long.headers['x-request-id']).toMatch(/^req_/);
  });

  // CWE-348: a caller that names its own address must not choose its rate limit or its audit record.
  test('believes X-Forwarded-For only as far as its own proxies wrote it', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 203.0.113.9' };
    const direct = await start({ listener: echoApp() });
    const behindOne = await start({ listener: echoApp(), trustedHops: 1 });
    const addressOf = async (served: Served) =>
      JSON.parse((await ask(served, { method: 'POST', path: '/echo', headers })).body).address;
    expect(await addressOf(direct)).toBe('127.0.0.1');
    expect(await addressOf(behindOne)).toBe('203.0.113.9');
  });

  test('tells a caller nothing of an internal error but its request id', async () => {
    const served = await start({ listener: echoApp() });
    const answer = await ask(served, { path: '/fails' });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('internal detail');
  });

  test('says whether it is ready', async () => {
    let ready = false;
    const served = await start({ listener: echoApp(), isReady: () => ready });
    expect((await ask(served, { path: '/health/ready' })).status).toBe(503);
    ready = true;
    expect((await ask(served, { path: '/health/ready' })).status).toBe(200);
    expect((await ask(served, { path: '/health/live' })).status).toBe(200);
  });

  test('finishes an open request before it closes', async () => {
    let release = () => {};
    const entered = Promise.withResolvers<void>();
    const served = await start({
      listener: async (_req, res) => {
        await new Promise<void>((resolve) => {
          release = resolve;
          entered.resolve();
        });
        res.end('finished');
      },
    });
    const answer = ask(served, { path: '/' });
    await entered.promise;
    const closed = served.close();
    release();
    expect((await answer).body).toBe('finished');
    await closed;
    await expect(ask(served, { path: '/' })).rejects.toThrow();
  });

  test('keeps idle connections longer than any proxy before it', () => {
    const server = createFunctionServer(deps, { name: 'keep-alive', listener: echoApp() });
    expect(server.keepAliveTimeout).toBeGreaterThan(600_000);
  });
});

describe('an event function', () => {
  const outcomes = toEventListener(silentLogger, {
    'test.accepted': async () => ({ outcome: 'accepted' }),
    'test.duplicate': async () => ({ outcome: 'duplicate' }),
    'test.malformed': async () => ({ outcome: 'malformed', detail: 'No organization' }),
    'test.transient': async () => ({ outcome: 'transient', detail: 'Busy' }),
    'test.throws': async () => {
      throw new Error('broken');
    },
  });
  const structured = { 'content-type': 'application/cloudevents+json' };
  const event = (type: string) => JSON.stringify({ specversion: '1.0', id: '1', source: 'test', type });

  test.each([
    ['test.accepted', 204],
    ['test.duplicate', 204],
    ['test.malformed', 400],
    ['test.transient', 503],
    ['test.throws', 503],
    ['test.unknown', 400],
    ['constructor', 400],
  ])('answers %s with %d, so that Knative retries or dead-letters as meant', async (type, status) => {
    const served = await start({ listener: outcomes });
    const answer = await ask(served, { method: 'POST', headers: structured }, (send) =>
      send.end(event(type)),
    );
    expect(answer.status).toBe(status);
    if (status === 204) expect(answer.body).toBe('');
  });

  test('reads binary mode like structured mode', async () => {
    const received: unknown[] = [];
    const served = await start({
      listener: toEventListener(silentLogger, {
        'test.kept': async (given) => {
          received.push(given);
          return { outcome: 'accepted' };
        },
      }),
    });
    const whole = {
      specversion: '1.0',
      id: 'é 1',
      source: 'uos/admin',
      type: 'test.kept',
      time: '2026-11-22T10:00:00.120Z',
      orgid: 'org_1',
      datacontenttype: 'application/json',
      data: { a: [1] },
    };
    await ask(served, { method: 'POST', headers: structured }, (send) => send.end(JSON.stringify(whole)));
    const headers = {
      'ce-specversion': '1.0',
      'ce-id': encodeURIComponent('é 1'),
      'ce-source': 'uos/admin',
      'ce-type': 'test.kept',
      // Another JSON library's spelling of the same instant.
      'ce-time': '2026-11-22T10:00:00.12Z',
      'ce-orgid': 'org_1',
      'content-type': 'application/json',
    };
    await ask(served, { method: 'POST', headers }, (send) => send.end('{"a":[1]}'));
    expect(received).toEqual([whole, whole]);
  });

  test.each([
    [{ 'content-type': 'application/cloudevents-batch+json' }, '[]', 415, 'cloud_event.batch_refused'],
    [structured, '{"specversion":"1.0"}', 400, 'cloud_event.malformed'],
    [structured, '[]', 400, 'cloud_event.malformed'],
    [structured, '{', 400, 'cloud_event.malformed'],
    [{ 'content-type': 'application/json' }, '{}', 400, 'cloud_event.malformed'],
  ])('refuses %j %s with a clear error instead of losing it', async (headers, body, status, code) => {
    const served = await start({ listener: outcomes });
    const answer = await ask(served, { method: 'POST', headers }, (send) => send.end(body));
    expect([answer.status, JSON.parse(answer.body).code]).toEqual([status, code]);
  });
});
