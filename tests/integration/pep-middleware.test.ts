import type { RequestListener } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import {
  createPep,
  expressPep,
  fastifyPep,
  fetchPep,
  honoPep,
  type Pep,
  type Question,
  type RouteMatch,
} from '../../shared/pep/index.ts';
import { send, startDecisionPoint, startServer, type TestServer } from './pep-fixture.ts';

/** Alice may do anything but to the document `secret`. The rest is chosen by the id asked for. */
function answer(id: string): unknown {
  if (id === 'mfa') {
    const stepUp = { type: 'step-up', id: 's', acr_value: 'https://refeds.org/profile/mfa', max_age: 300 };
    return { decision: false, context: { obligations: [stepUp] } };
  }
  if (id === 'broken') return { decision: 'yes' };
  return { decision: id !== 'secret', context: { rule: 'some_rule' } };
}

let point: Awaited<ReturnType<typeof startDecisionPoint>>;
let pep: Pep;
let acted: string[];
let asked: { method: string; route: string }[];

beforeAll(async () => {
  point = await startDecisionPoint(({ body }) => answer((body as Question).resource.id));
  pep = createPep({ url: point.base, credential: 'key', timeoutMs: 5000 });
});
afterAll(() => point[Symbol.asyncDispose]());
beforeEach(() => {
  acted = [];
  asked = [];
});

function toQuestion({ method, route, params }: RouteMatch<unknown>): Question | undefined {
  asked.push({ method, route });
  if (params['id'] === 'thrown') throw new Error('the mapping failed');
  if (route !== '/documents/:id' || params['id'] === undefined) return undefined;
  return {
    subject: { type: 'user', id: 'alice' },
    action: { name: method === 'DELETE' ? 'delete' : 'read' },
    resource: { type: 'document', id: params['id'] },
  };
}

const act = (id: string) => {
  acted.push(id);
  return `document ${id}`;
};

type Document = { Params: { id: string } };

const frameworks: Record<string, () => RequestListener | Promise<RequestListener>> = {
  Express: () => {
    const app = express();
    const guarded = expressPep(pep, toQuestion);
    app.get('/documents/:id', guarded, (req, res) => void res.send(act(req.params.id)));
    app.delete('/documents/:id', guarded, (req, res) => void res.send(act(req.params.id)));
    app.get('/unmapped', guarded, (_req, res) => void res.send(act('unmapped')));
    // Four parameters make it the handler of errors; without one Express prints them.
    app.use((_error: unknown, _req: express.Request, res: express.Response, _next: express.NextFunction) => {
      res.status(500).end();
    });
    return app;
  },
  Hono: () => {
    const app = new Hono();
    const guarded = honoPep(pep, toQuestion);
    app.get('/documents/:id', guarded, (c) => c.text(act(c.req.param('id'))));
    app.delete('/documents/:id', guarded, (c) => c.text(act(c.req.param('id'))));
    app.get('/unmapped', guarded, (c) => c.text(act('unmapped')));
    app.onError((_error, c) => c.body(null, 500));
    return getRequestListener(app.fetch);
  },
  Fastify: async () => {
    const app = Fastify();
    const guarded = { preHandler: fastifyPep(pep, toQuestion) };
    app.get<Document>('/documents/:id', guarded, async (request) => act(request.params.id));
    app.delete<Document>('/documents/:id', guarded, async (request) => act(request.params.id));
    app.get('/unmapped', guarded, async () => act('unmapped'));
    await app.ready();
    return (req, res) => app.routing(req, res);
  },
  'plain fetch': () => {
    const routes = {
      'GET /documents/:id': toQuestion,
      'DELETE /documents/:id': toQuestion,
      'GET /unmapped': toQuestion,
    };
    const guarded = fetchPep(
      pep,
      routes,
      (_request, { params }) => new Response(act(params['id'] ?? 'unmapped')),
    );
    return getRequestListener((request) => guarded(request), {
      errorHandler: () => new Response(null, { status: 500 }),
    });
  },
};

describe.each(Object.entries(frameworks))('%s', (_name, createListener) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer(await createListener());
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('lets an allow through to the handler', async () => {
    expect(await send(server, '/documents/42')).toMatchObject({ status: 200, body: 'document 42' });
    expect(acted).toEqual(['42']);
    expect(asked).toEqual([{ method: 'GET', route: '/documents/:id' }]);
  });

  it('asks about the method and what the route names', async () => {
    await send(server, '/documents/a%20b', { method: 'DELETE' });
    expect(point.asked.at(-1)?.body).toMatchObject({
      action: { name: 'delete' },
      resource: { type: 'document', id: 'a b' },
    });
    expect(acted).toEqual(['a b']);
  });

  it('answers a denial with 403 and a problem that names no rule', async () => {
    const { status, headers, body } = await send(server, '/documents/secret');
    expect(status).toBe(403);
    // Fastify names the charset of every text it sends.
    expect(headers['content-type']).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
    expect(headers['cache-control']).toBe('no-store');
    expect(JSON.parse(body)).toMatchObject({ status: 403, code: 'authorization.not_permitted' });
    expect(body).not.toContain('some_rule');
    expect(acted).toEqual([]);
  });

  it('answers step-up with 401 and the challenge of RFC 9470', async () => {
    const { status, headers } = await send(server, '/documents/mfa');
    expect(status).toBe(401);
    expect(headers['www-authenticate']).toMatch(/^Bearer error="insufficient_user_authentication"/);
    expect(headers['www-authenticate']).toContain('acr_values="https://refeds.org/profile/mfa"');
    expect(headers['www-authenticate']).toContain('max_age="300"');
    expect(acted).toEqual([]);
  });

  it('answers 503 when nothing was decided', async () => {
    const { status, headers } = await send(server, '/documents/broken');
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(acted).toEqual([]);
  });

  it('refuses a route that no question belongs to', async () => {
    const before = point.asked.length;
    expect((await send(server, '/unmapped')).status).toBe(403);
    expect(acted).toEqual([]);
    expect(point.asked.length).toBe(before);
  });

  it('leaves a mapping that throws to the framework, and the handler unreached', async () => {
    expect((await send(server, '/documents/thrown')).status).toBe(500);
    expect(acted).toEqual([]);
  });

  it('passes request id and trace on', async () => {
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    await send(server, '/documents/1', { headers: { 'x-request-id': 'req-7', traceparent } });
    expect(point.asked.at(-1)?.headers).toMatchObject({ 'x-request-id': 'req-7', traceparent });
  });

  // Threat (Keycloak CVE-2026-9800 and its kind): a spelling that guard and handler read as different places.
  it.each([
    '//documents/secret',
    '/documents//secret',
    '/documents/%73ecret',
    '/documents/%2573ecret',
    '/DOCUMENTS/secret',
    '/%64ocuments/secret',
    '/documents/secret/',
    '/documents/secret.',
    '/documents/secret;x=1',
    '/documents/secret%00',
    '/documents/./secret',
    '/documents/x/../secret',
    '/documents/x/%2e%2e/secret',
    '/documents/x%2f..%2fsecret',
    '/documents/x%5c..%5csecret',
    '\\documents\\secret',
    '/documents/secret?id=42',
    '/documents/secret%',
    '/documents/%c0%afsecret',
    'http://127.0.0.1/documents/secret',
  ])('%s: what the handler acts on is what was asked about, and never the secret', async (path) => {
    const before = point.asked.length;
    await send(server, path);
    expect(acted).not.toContain('secret');
    const questions = point.asked.slice(before).map(({ body }) => (body as Question).resource.id);
    expect(questions).toEqual(expect.arrayContaining(acted));
    expect(acted.length).toBeLessThanOrEqual(1);
  });
});

test('Express refuses everything when the guard stands before the router', async () => {
  const app = express();
  app.use(expressPep(pep, () => ({ ...whole, resource: { type: 'document', id: '42' } })));
  app.get('/documents/:id', (req, res) => void res.send(act(req.params.id)));
  await using server = await startServer(app);
  expect((await send(server, '/documents/42')).status).toBe(403);
  expect(acted).toEqual([]);
});

test('Hono names the pattern of the guard, not of the handler behind it', async () => {
  const app = new Hono();
  app.use('*', honoPep(pep, toQuestion));
  app.get('/documents/:id', (c) => c.text(act(c.req.param('id'))));
  await using server = await startServer(getRequestListener(app.fetch));
  expect((await send(server, '/documents/42')).status).toBe(403);
  expect(asked).toEqual([{ method: 'GET', route: '/*' }]);
});

const whole: Omit<Question, 'resource'> = {
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
};

test('Fastify guards every route of a plugin by one hook, and refuses what no route has matched', async () => {
  const app = Fastify();
  app.addHook('preHandler', fastifyPep(pep, toQuestion));
  app.get<Document>('/documents/:id', async (request) => act(request.params.id));
  app.setNotFoundHandler(async () => act('nothing'));
  await app.ready();
  await using server = await startServer((req, res) => app.routing(req, res));
  expect(await send(server, '/documents/42')).toMatchObject({ status: 200, body: 'document 42' });
  expect((await send(server, '/documents/secret')).status).toBe(403);
  expect((await send(server, '/nowhere')).status).toBe(403);
  expect(acted).toEqual(['42']);
});
