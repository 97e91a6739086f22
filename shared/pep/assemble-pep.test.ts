import type { RequestListener, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { startDecisionPoint, startServer, type TestServer } from '../../tests/integration/pep-fixture.ts';
import { AccessRefusedError, createPep, type PepFailure, type PepOptions, type Question } from './index.ts';

const question: Question = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'document', id: '42' },
};
const credential = 'secret-credential';

let failures: PepFailure[];
let opened: AsyncDisposableStack;
beforeEach(() => {
  failures = [];
  opened = new AsyncDisposableStack();
});
afterEach(() => opened.disposeAsync());

const pepAt = (url: string, options: Partial<PepOptions> = {}) =>
  createPep({
    url,
    credential,
    timeoutMs: 5000,
    onError: (failure) => void failures.push(failure),
    ...options,
  });

const serve = async (listener: RequestListener): Promise<TestServer> =>
  opened.use(await startServer(listener));

const json = (res: ServerResponse, text: string | Buffer, status = 200) =>
  res.writeHead(status, { 'content-type': 'application/json' }).end(text);

const answering =
  (text: string | Buffer): RequestListener =>
  (_req, res) =>
    void json(res, text);
const status =
  (code: number): RequestListener =>
  (_req, res) =>
    void json(res, '{"decision":true}', code);

describe('whatever the decision point does wrong refuses', () => {
  it.each<[string, PepFailure['code'], RequestListener]>([
    [
      'a redirect to one that allows',
      'decision_point.redirected',
      (_req, res) => res.writeHead(307, { location: '/yes' }).end(),
    ],
    ['not modified', 'decision_point.redirected', (_req, res) => res.writeHead(304).end()],
    ['bad request', 'decision_point.refused', status(400)],
    ['bad credential', 'decision_point.refused', status(401)],
    ['forbidden', 'decision_point.refused', status(403)],
    ['too many requests', 'decision_point.refused', status(429)],
    ['a fault', 'decision_point.failed', status(500)],
    ['overload', 'decision_point.failed', status(503)],
    ['another success', 'decision_point.failed', status(201)],
    ['no content', 'decision_point.failed', (_req, res) => res.writeHead(204).end()],
    [
      'a page in place of JSON',
      'answer.malformed',
      (_req, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('{"decision":true}'),
    ],
    ['no content type', 'answer.malformed', (_req, res) => res.writeHead(200).end('{"decision":true}')],
    ['an empty body', 'answer.malformed', answering('')],
    ['half an answer', 'answer.malformed', answering('{"decision":true')],
    [
      'bytes that are not UTF-8',
      'answer.malformed',
      answering(Buffer.from('{"decision":true,"x":"\xff"}', 'latin1')),
    ],
    ['null', 'answer.malformed', answering('null')],
    ['a list', 'answer.malformed', answering('[{"decision":true}]')],
    ['no decision', 'answer.malformed', answering('{"context":{}}')],
    ['a text for a decision', 'answer.malformed', answering('{"decision":"true"}')],
    ['a number for a decision', 'answer.malformed', answering('{"decision":1}')],
    ['a decision by the prototype', 'answer.malformed', answering('{"__proto__":{"decision":true}}')],
    ['a text for a context', 'answer.malformed', answering('{"decision":true,"context":"x"}')],
    [
      'obligations that are none',
      'answer.malformed',
      answering('{"decision":true,"context":{"obligations":{}}}'),
    ],
    [
      'an obligation without a type',
      'answer.malformed',
      answering('{"decision":true,"context":{"obligations":[{"id":"a"}]}}'),
    ],
    [
      'an error beside a permit',
      'answer.undecided',
      answering('{"decision":true,"context":{"error":{"status":500}}}'),
    ],
    ['a policy that failed', 'answer.undecided', answering('{"decision":false,"context":{"code":"error"}}')],
    [
      'more than any answer of ours',
      'answer.too_large',
      answering(`{"decision":true,"x":"${'x'.repeat(1 << 20)}"}`),
    ],
    ['a connection that breaks', 'decision_point.unreachable', (req) => req.socket.destroy()],
    [
      'a body that breaks',
      'decision_point.unreachable',
      (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
        res.write('{"decision":true}', () => res.destroy());
      },
    ],
  ])('%s: %s', async (_name, code, listener) => {
    const yes = answering('{"decision":true}');
    const { base } = await serve((req, res) => (req.url === '/yes' ? yes : listener)(req, res));
    const outcome = await pepAt(base).evaluate(question);
    expect(outcome).toMatchObject({ outcome: 'error', decision: false, failure: { code } });
    expect(failures.map((failure) => failure.code)).toEqual([code]);
  });

  it.each<[string, RequestListener]>([
    ['silence', () => undefined],
    [
      'a body that never ends',
      (_req, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{"decision":'),
    ],
  ])('%s: decision_point.timeout, and the connection is given up', async (_name, listener) => {
    const closed = Promise.withResolvers<void>();
    const { base } = await serve((req, res) => {
      req.socket.on('close', () => closed.resolve());
      listener(req, res);
    });
    expect(await pepAt(base, { timeoutMs: 1_000 }).evaluate(question)).toMatchObject({
      decision: false,
      failure: { code: 'decision_point.timeout' },
    });
    await closed.promise;
  });

  it('nobody there: decision_point.unreachable', async () => {
    const gone = await startServer(() => undefined);
    await gone[Symbol.asyncDispose]();
    expect(await pepAt(gone.base).evaluate(question)).toMatchObject({
      decision: false,
      failure: { code: 'decision_point.unreachable' },
    });
  });
});

describe('without a credential nothing is asked', () => {
  it.each<[string, PepOptions['credential'], PepFailure['code']]>([
    ['one that is empty', ' ', 'credential.unavailable'],
    ['one that would end the header', 'a\r\nx: y', 'credential.unavailable'],
    ['a source that fails', () => Promise.reject(new Error('vault')), 'credential.unavailable'],
    [
      'a source that throws',
      () => {
        throw new Error('vault');
      },
      'credential.unavailable',
    ],
    ['a source that hangs', () => new Promise(() => undefined), 'decision_point.timeout'],
  ])('%s', async (_name, source, code) => {
    const point = opened.use(await startDecisionPoint(() => ({ decision: true })));
    const pep = pepAt(point.base, { credential: source, timeoutMs: 100 });
    expect(await pep.evaluate(question)).toMatchObject({ decision: false, failure: { code } });
    expect(await pep.evaluateAll([question, question])).toMatchObject([
      { failure: { code } },
      { failure: { code } },
    ]);
    expect(point.asked).toEqual([]);
  });
});

describe('a decision', () => {
  const decide = async (answer: unknown) => {
    const point = opened.use(await startDecisionPoint(() => answer));
    return pepAt(`${point.base}/`).evaluate(question);
  };

  it('that allows is an allow, with its context', async () => {
    expect(await decide({ decision: true, context: { code: 'permitted' } })).toEqual({
      outcome: 'allow',
      decision: true,
      context: { code: 'permitted' },
    });
  });

  it('that refuses carries its obligations', async () => {
    const obligations = [{ type: 'notification', id: 'n', to: 'security' }];
    expect(await decide({ decision: false, context: { obligations } })).toMatchObject({
      outcome: 'deny',
      obligations,
    });
  });

  it('that allows under an obligation is a denial: this PEP performs none', async () => {
    const obligations = [{ type: 'notification', id: 'n' }];
    expect(await decide({ decision: true, context: { obligations } })).toMatchObject({
      outcome: 'deny',
      decision: false,
    });
  });

  it.each([true, false])('of %s with a step-up obligation says what to prove', async (decision) => {
    const obligations = [{ type: 'step-up', id: 's', acr_value: 'mfa', max_age: 300, amr_values: ['mfa'] }];
    expect(await decide({ decision, context: { obligations } })).toMatchObject({
      outcome: 'step_up',
      decision: false,
      stepUp: { acr: 'mfa', maxAge: 300 },
    });
  });

  it('with two step-up obligations names both classes and the shorter age', async () => {
    const obligations = [
      { type: 'step-up', id: 'a', acr_value: 'gold', max_age: 900 },
      { type: 'step-up', id: 'b', acr_value: 'mfa', max_age: 300 },
    ];
    expect(await decide({ decision: false, context: { obligations } })).toMatchObject({
      stepUp: { acr: 'gold mfa', maxAge: 300 },
    });
  });

  it('cannot be changed by one of those it is handed to', async () => {
    const outcome = await decide({ decision: false, context: { nested: { a: 1 } } });
    expect(() => Object.assign(outcome, { decision: true })).toThrow(TypeError);
    expect(Object.isFrozen('context' in outcome ? outcome.context['nested'] : undefined)).toBe(true);
  });

  it('that is required rejects unless it allows', async () => {
    const point = opened.use(
      await startDecisionPoint(({ body }) => ({ decision: JSON.stringify(body).includes('alice') })),
    );
    const pep = pepAt(point.base);
    expect(await pep.require(question)).toMatchObject({ outcome: 'allow' });
    const refused = pep.require({ ...question, subject: { type: 'user', id: 'bob' } });
    await expect(refused).rejects.toBeInstanceOf(AccessRefusedError);
    await expect(refused).rejects.toMatchObject({ outcome: { outcome: 'deny' } });
  });
});

describe('what is sent', () => {
  it('is the question with a request for reasons, the credential, the request id and the trace', async () => {
    const point = opened.use(await startDecisionPoint(() => ({ decision: true })));
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await pepAt(`${point.base}/base/`, { credential: async () => `${credential}\n` }).evaluate(question, {
      requestId: 'req-1',
      traceparent,
      tracestate: 'a=1',
    });
    const [asked] = point.asked;
    expect(asked?.path).toBe('/base/access/v1/evaluation');
    expect(asked?.body).toEqual({ ...question, options: { reasons: true } });
    expect(asked?.headers).toMatchObject({
      authorization: `Bearer ${credential}`,
      'x-request-id': 'req-1',
      traceparent,
      tracestate: 'a=1',
    });
  });

  // Threat: a stranger's header splits or forges one of ours.
  it('leaves out a request id or trace that is malformed', async () => {
    const point = opened.use(await startDecisionPoint(() => ({ decision: true })));
    const badIds = ['', 'x'.repeat(257), 'a\r\nx: y', 'é'];
    const badTraces = [
      '',
      'x',
      `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
      `ff-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    ];
    for (const [index, requestId] of badIds.entries()) {
      const call = { requestId, traceparent: badTraces[index], tracestate: 'a=1' };
      expect(await pepAt(point.base).evaluate(question, call)).toMatchObject({ decision: true });
    }
    for (const { headers } of point.asked) {
      expect(headers['x-request-id']).toBeUndefined();
      expect(headers['traceparent']).toBeUndefined();
      expect(headers['tracestate']).toBeUndefined();
    }
  });

  it('is one request for identical questions at the same time, and another for any other', async () => {
    const point = opened.use(await startDecisionPoint(() => ({ decision: true })));
    const pep = pepAt(point.base);
    const other = { ...question, context: { amr: ['mfa'] } };
    const outcomes = await Promise.all(
      [question, question, other, question].map((asked) => pep.evaluate(asked)),
    );
    expect(outcomes.every(({ decision }) => decision)).toBe(true);
    expect(point.asked).toHaveLength(2);
    await pep.evaluate(question);
    expect(point.asked).toHaveLength(3);
  });

  it('is asked anew after a failure', async () => {
    let isUp = false;
    const { base } = await serve((_req, res) => void json(res, '{"decision":true}', isUp ? 200 : 503));
    const pep = pepAt(base, { cache: { entriesMax: 10, ttlMs: 60_000 } });
    expect(await pep.evaluate(question)).toMatchObject({ outcome: 'error' });
    isUp = true;
    expect(await pep.evaluate(question)).toMatchObject({ outcome: 'allow' });
  });
});

test('a log that throws changes nothing', async () => {
  const { base } = await serve(status(500));
  const onError = () => {
    throw new Error('log');
  };
  expect(await pepAt(base, { onError }).evaluate(question)).toMatchObject({ decision: false });
});

test.each<[string, Partial<PepOptions>]>([
  ['an address that is none', { url: 'authorize' }],
  ['another scheme', { url: 'file:///etc' }],
  ['a credential in the address', { url: 'http://a:b@127.0.0.1' }],
  ['a query in the address', { url: 'http://127.0.0.1/?x' }],
  ['no time', { timeoutMs: 0 }],
  ['no end of time', { timeoutMs: Number.POSITIVE_INFINITY }],
  ['more than a timer can wait', { timeoutMs: 2 ** 31 }],
  ['a cache without room', { cache: { entriesMax: 0, ttlMs: 1000 } }],
  ['a cache without a bound', { cache: { entriesMax: Number.POSITIVE_INFINITY, ttlMs: 1000 } }],
  ['batches of nothing', { batch: { itemsMax: 0 } }],
])('refuses to be made with %s', (_name, options) => {
  expect(() => pepAt('http://127.0.0.1:1', options)).toThrow();
});
