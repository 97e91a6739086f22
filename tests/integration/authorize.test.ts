import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  publicUrl,
  question,
  type Scene,
  setScene,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let scene: Scene;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  scene = await setScene(world);
});

const post = (body: unknown, options: Parameters<typeof askAuthorize>[2] = {}) =>
  askAuthorize(instance.base, body, options);

describe('a question', () => {
  it('is answered by the policy from the bindings of the subject and its teams', async () => {
    const token = scene.gateway.text;
    expect((await post(question(scene.alice), { token })).text).toBe('{"decision":true}');
    expect((await post(question(scene.alice, { action: 'write' }), { token })).text).toBe(
      '{"decision":false}',
    );
    const denied = await post(question(scene.alice, { document: 'secret' }), { token });
    expect(denied.status).toBe(200);
    expect(denied.text).toBe('{"decision":false}');
  });

  it('is answered with reasons on request only', async () => {
    const { json } = await post(question(scene.alice, { document: 'secret', options: { reasons: true } }), {
      token: scene.gateway.text,
    });
    expect(json).toEqual({
      decision: false,
      context: {
        code: 'forbidden',
        rule: 'denied_by_binding',
        binding: scene.organization.bindingIds[2],
        policy_revision: instance.engine.status().revision,
        data_revision: expect.any(Number),
      },
    });
  });

  it('of an unknown subject, or a type nobody has, is answered with no', async () => {
    for (const subject of [
      { type: 'user', id: 'nobody' },
      { type: 'robot', id: 'r2' },
    ]) {
      const { status, json } = await post(question(subject, { options: { reasons: true } }), {
        token: scene.gateway.text,
      });
      expect(status).toBe(200);
      expect(json).toMatchObject({ decision: false, context: { code: 'unknown_subject' } });
    }
  });

  it('about a subject of another organization is answered as one about nobody', async () => {
    const other = await setScene(world);
    const body = question(other.alice, { options: { reasons: true } });
    const { json } = await post(body, { token: scene.gateway.text });
    expect(json).toMatchObject({ decision: false, context: { code: 'unknown_subject' } });
    expect((await post(body, { token: other.gateway.text })).json.decision).toBe(true);
  });

  it('may hold members nobody knows, and nulls where nothing is', async () => {
    const body = { ...question(scene.alice), context: null, extra: { a: 1 }, options: 'odd' };
    expect((await post(body, { token: scene.gateway.text })).text).toBe('{"decision":true}');
  });

  it('becomes a record with who asked, about whom, what was answered and by which rule', async () => {
    await post(question(scene.alice), { token: scene.gateway.text, headers: { 'x-request-id': 'r-17' } });
    expect(instance.records.at(-1)).toMatchObject({
      organization: scene.organization.organizationId,
      requestId: 'r-17',
      principal: {
        type: 'service_account',
        id: scene.organization.idOf('gateway'),
        credential: `${scene.gateway.key.id}…${scene.gateway.key.lastFour}`,
      },
      subject: scene.alice,
      action: 'read',
      resource: { type: 'document', id: '42' },
      decision: true,
      code: 'permitted',
      rule: 'granted_by_binding',
      binding: scene.organization.bindingIds[1],
      policyRevision: instance.engine.status().revision,
    });
    expect(JSON.stringify(instance.records)).not.toContain(scene.gateway.text.slice(40));
  });

  it('is not decided when its answer could not be recorded', async () => {
    instance.state.isAccepting = false;
    const answer = await post(question(scene.alice), { token: scene.gateway.text });
    const ready = await fetch(`${instance.base}/health/ready`);
    instance.state.isAccepting = true;
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(ready.status).toBe(503);
    await waitUntil(async () => (await fetch(`${instance.base}/health/ready`)).status === 200);
  });
});

describe('the contract', () => {
  it.each([
    ['no JSON', '{', 'The body is not JSON'],
    ['a member twice', '{"subject":{"type":"user","id":"a","id":"b"}}', 'The body has a member twice'],
    ['no object', '[]', 'the request must be an object'],
    ['no subject', { action: { name: 'read' }, resource: { type: 'a', id: 'b' } }, 'subject is required'],
    ['an empty id', question({ type: 'user', id: '' }), 'subject.id must not be empty'],
    [
      'a number as id',
      { ...question({ type: 'user', id: 'x' }), subject: { type: 'user', id: 7 } },
      'subject.id',
    ],
    ['no action name', { ...question({ type: 'user', id: 'x' }), action: {} }, 'action.name is required'],
    [
      'text as resource',
      { ...question({ type: 'user', id: 'x' }), resource: 'r' },
      'resource must be an object',
    ],
  ])('answers 400 to a body with %s, and says where', async (_, body, where) => {
    const answer = await post(body, { token: scene.gateway.text, headers: { 'x-request-id': 'bad-1' } });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ code: 'request.malformed', detail: expect.stringContaining(where) });
    expect(answer.headers.get('x-request-id')).toBe('bad-1');
  });

  it.each(['text/plain', 'application/xml', 'application/jsonx'])(
    'answers 400, not 415, to the content type %s',
    async (contentType) => {
      const headers = { 'content-type': contentType };
      const answer = await post(question(scene.alice), { token: scene.gateway.text, headers });
      expect(answer.status).toBe(400);
      expect(answer.json).toMatchObject({ detail: 'Content-Type must be application/json' });
    },
  );

  it('takes a content type with parameters', async () => {
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await post(question(scene.alice), { token: scene.gateway.text, headers })).status).toBe(200);
  });

  it('answers 413 to a body beyond the bound', async () => {
    const body = question(scene.alice, { context: { filler: 'x'.repeat(70_000) } });
    expect((await post(body, { token: scene.gateway.text })).status).toBe(413);
  });

  it('answers 400 to a body nested deeper than any question, and answers others', async () => {
    const deep = '['.repeat(30_000) + ']'.repeat(30_000);
    const body = JSON.stringify(question(scene.alice, { context: { deep: 0 } })).replace('0}', `${deep}}`);
    const answer = await post(body, { token: scene.gateway.text });
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ detail: 'The body is nested deeper than 32 levels' });
    expect((await post(question(scene.alice), { token: scene.gateway.text })).json.decision).toBe(true);
  });

  it('echoes the request id, on answers, refusals and discovery', async () => {
    const headers = { 'x-request-id': 'abc/123' };
    const { base } = instance;
    const answers = [
      await post(question(scene.alice), { token: scene.gateway.text, headers }),
      await post(question(scene.alice), { headers }),
      await fetch(`${base}/.well-known/authzen-configuration`, { headers }),
      await fetch(`${base}/nowhere`, { headers }),
    ];
    expect(answers.map((answer) => answer.headers.get('x-request-id'))).toEqual(
      Array.from({ length: 4 }, () => 'abc/123'),
    );
  });

  // A Host header decides nothing: a cache would hand poisoned addresses to others.
  it('names its addresses from configuration, whatever the Host header says', async () => {
    const host = 'evil.example.test';
    // Not fetch: it does not let a caller choose Host.
    const request = get(`${instance.base}/.well-known/authzen-configuration`, {
      headers: { host, 'x-forwarded-host': host, forwarded: `host=${host}` },
    });
    const [response]: IncomingMessage[] = await once(request, 'response');
    expect(request.getHeader('host')).toBe(host);
    expect(response?.headers['content-type']).toBe('application/json');
    expect(JSON.parse(response === undefined ? '' : await text(response))).toEqual({
      policy_decision_point: publicUrl,
      access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
      access_evaluations_endpoint: `${publicUrl}/access/v1/evaluations`,
      search_subject_endpoint: `${publicUrl}/access/v1/search/subject`,
      search_resource_endpoint: `${publicUrl}/access/v1/search/resource`,
      search_action_endpoint: `${publicUrl}/access/v1/search/action`,
    });
  });

  it('knows no other address, and names the method an address has', async () => {
    for (const [method, path, status, allow] of [
      ['GET', '/access/v1/evaluation', 405, 'POST'],
      ['PUT', '/access/v1/evaluations', 405, 'POST'],
      ['GET', '/access/v1/search/subject', 405, 'POST'],
      ['POST', '/.well-known/authzen-configuration', 405, 'GET, HEAD'],
      ['GET', '/constructor', 404, null],
      ['POST', '/access/v1/search/', 404, null],
    ] as const) {
      const answer = await fetch(instance.base + path, { method, headers: { 'x-request-id': 'm-1' } });
      expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
      expect(answer.headers.get('x-request-id')).toBe('m-1');
    }
    const head = await fetch(`${instance.base}/.well-known/authzen-configuration`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });
});

describe('overload', () => {
  it('answers 503 at once to what would have to wait too long, and recovers', async () => {
    const small = await startAuthorizeInstance(world, { waitingMax: 1 });
    const ask = (id: string) =>
      askAuthorize(small.base, question({ type: 'user', id }), { token: scene.gateway.text });
    await waitUntil(async () => (await ask('warm')).status === 200);
    const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => ask(`unknown-${n}`)));
    const statuses = new Set(answers.map(({ status }) => status));
    expect(statuses).toContain(503);
    for (const { status, headers, json } of answers.filter((answer) => answer.status !== 200)) {
      expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'service.overloaded', '1']);
    }
    await waitUntil(async () => (await ask('afterwards')).status === 200);
    await small.close();
  });
});

describe('the policy bundle', () => {
  const manifestFile = () => join(world.bundleDirectory, 'manifest.json');

  it('is swapped without a restart; a broken one never replaces a good one', async () => {
    const ask = () =>
      post(question(scene.alice, { options: { reasons: true } }), { token: scene.gateway.text });
    const manifest = JSON.parse(await readFile(manifestFile(), 'utf8'));
    const write = (changes: object) => writeFile(manifestFile(), JSON.stringify({ ...manifest, ...changes }));

    await write({ revision: 'second' });
    await waitUntil(async () => (await ask()).json.context.policy_revision === 'second');
    for (const broken of [{ revision: 'broken', wasm_sha256: '0'.repeat(64) }, { entrypoint: 'other' }]) {
      const refused = instance.bundleRefusals.length;
      await write(broken);
      await waitUntil(async () => instance.bundleRefusals.length > refused);
      expect((await ask()).json).toMatchObject({ decision: true, context: { policy_revision: 'second' } });
    }
    await write({ revision: 'third' });
    await waitUntil(async () => {
      const { json } = await ask();
      expect(json.decision).toBe(true);
      return json.context.policy_revision === 'third';
    });
    await write({});
    await waitUntil(async () => (await ask()).json.context.policy_revision === manifest.revision);
  });
});
