import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  type Scene,
  setScene,
  startAuthorizeInstance,
} from '../../support/authorize-instance.ts';
import { type AskOptions, ask } from './decision-point.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let scene: Scene;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
  scene = await setScene(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

const subject = { type: 'user', id: 'alice' };
const action = { name: 'read' };
const resource = { type: 'document', id: '42' };
/** Each address with a body that it takes. */
const operations = {
  evaluation: ['/access/v1/evaluation', { subject, action, resource }],
  'evaluations, single': ['/access/v1/evaluations', { subject, action, resource }],
  evaluations: ['/access/v1/evaluations', { subject, action, evaluations: [{ resource }] }],
  'search/subject': ['/access/v1/search/subject', { subject: { type: 'user' }, action, resource }],
  'search/resource': ['/access/v1/search/resource', { subject, action, resource: { type: 'document' } }],
  'search/action': ['/access/v1/search/action', { subject, resource }],
} as const;
const names = Object.keys(operations) as (keyof typeof operations)[];

function post(path: string, body: unknown, options: AskOptions = {}) {
  const headers = { 'x-request-id': 'neg-1', ...options.headers };
  return ask(instance.base + path, body, { token: scene.gateway.text, ...options, headers });
}

async function expectRefusal(answer: Awaited<ReturnType<typeof post>>, status: number, detail: string) {
  expect([answer.status, answer.json.detail]).toEqual([status, expect.stringContaining(detail)]);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(answer.headers.get('x-request-id')).toBe('neg-1');
}

describe.each(names)('%s', (name) => {
  const [path, valid] = operations[name];
  const without = (member: string) =>
    Object.fromEntries(Object.entries(valid).filter(([key]) => key !== member));

  it('answers 200 to the body all others are made from', async () => {
    const answer = await post(path, valid);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('x-request-id')).toBe('neg-1');
  });

  it.each([
    ['text/plain', valid, 'Content-Type'],
    ['', valid, 'Content-Type'],
    ['application/json', '', 'The body is not JSON'],
    ['application/json', '{', 'The body is not JSON'],
    ['application/json', '[]', 'the request must be an object'],
    ['application/json', 'null', 'the request must be an object'],
    ['application/json', '"text"', 'the request must be an object'],
    ['application/json', '{"subject":{},"subject":{}}', 'The body has a member twice'],
    ['application/json', `{"context":${'{"a":'.repeat(40)}1${'}'.repeat(41)}`, 'nested deeper than 32'],
  ])('answers 400 to the content type "%s" with %j', async (contentType, body, detail) => {
    await expectRefusal(await post(path, body, { headers: { 'content-type': contentType } }), 400, detail);
  });

  it('answers 401 without a credential, and with one that is none', async () => {
    for (const token of [undefined, 'nonsense']) {
      const answer = await post(path, valid, { token });
      expect(answer.status).toBe(401);
      expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    }
  });

  it('answers 403 to a caller who may not ask about others', async () => {
    expect((await post(path, valid, { token: scene.outsider.text })).status).toBe(403);
  });

  it('answers 405 to another method', async () => {
    const answer = await post(path, valid, { method: 'PUT' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });

  it('ignores members nobody knows, and takes null for absent where something may be', async () => {
    const extra = { future: { a: [1] }, context: null, options: null, page: null };
    expect((await post(path, { ...valid, ...extra })).status).toBe(200);
  });

  it('answers 400 when an entity it needs is missing, is null, or is no object', async () => {
    if (name === 'evaluations') return;
    for (const member of Object.keys(valid)) {
      await expectRefusal(await post(path, without(member)), 400, member);
      for (const wrong of [null, 'text', 7, []]) {
        await expectRefusal(await post(path, { ...valid, [member]: wrong }), 400, member);
      }
    }
  });

  it('answers 400 when a name or id it needs is missing, empty or of another type', async () => {
    if (name === 'evaluations') return;
    for (const [member, entity] of Object.entries(valid)) {
      for (const key of Object.keys(entity)) {
        for (const wrong of [undefined, null, '', 7, {}]) {
          const body = { ...valid, [member]: { ...entity, [key]: wrong } };
          await expectRefusal(await post(path, body), 400, `${member}.${key}`);
        }
      }
    }
  });

  it('answers 400 to properties or a context that are no objects', async () => {
    await expectRefusal(await post(path, { ...valid, context: 'text' }), 400, 'context must be an object');
    if (name === 'evaluations') return;
    for (const member of Object.keys(valid)) {
      const body = { ...valid, [member]: { ...Reflect.get(valid, member), properties: [] } };
      await expectRefusal(await post(path, body), 400, `${member}.properties must be an object`);
    }
  });

  it('answers 413 to a body beyond its bound', async () => {
    const filler = 'x'.repeat(path.endsWith('evaluations') ? 1_100_000 : 70_000);
    expect((await post(path, { ...valid, context: { filler } })).status).toBe(413);
  });
});

describe('a batch', () => {
  const [path, valid] = operations.evaluations;

  it.each([
    ['an array that is none', { evaluations: {} }, 'evaluations must be an array'],
    ['101 items', { evaluations: Array.from({ length: 101 }, () => ({ resource })) }, 'at most 100 items'],
    ['a default that is no object', { subject: 'alice' }, 'subject must be an object'],
    ['options that are no object', { options: [] }, 'options must be an object'],
    [
      'a semantic nobody knows',
      { options: { evaluations_semantic: 'any' } },
      'options.evaluations_semantic must be one of execute_all, deny_on_first_deny, permit_on_first_permit',
    ],
  ])('with %s is refused whole', async (_, change, detail) => {
    await expectRefusal(await post(path, { ...valid, ...change }), 400, detail);
  });

  it.each([
    [null, 'must be an object'],
    ['text', 'must be an object'],
    [{}, 'resource is required'],
    [{ resource: 'r' }, 'resource must be an object'],
    [{ resource: { type: 'document' } }, 'resource.id is required'],
    [{ resource: { type: 'document', id: 7 } }, 'resource.id must be a string'],
    [{ resource, action: {}, subject: { type: '' } }, 'subject.type must not be empty'],
  ])('with the item %j fails in that item alone', async (item, message) => {
    const evaluations = [{ resource }, item, { resource }];
    const { status, json } = await post(path, { ...valid, evaluations });
    expect(status).toBe(200);
    expect(json.evaluations).toEqual([
      { decision: false },
      { decision: false, context: { error: { status: 400, message: expect.stringContaining(message) } } },
      { decision: false },
    ]);
  });
});

describe('a page', () => {
  const [path, valid] = operations['search/subject'];

  it.each([
    [{ limit: -1 }, 'page.limit must not be negative'],
    [{ limit: 1.5 }, 'page.limit must be a whole number'],
    [{ limit: '5' }, 'page.limit must be a whole number'],
    [{ token: 7 }, 'page.token must be a string'],
    [{ token: 'nonsense' }, 'page.token is not one that this query was given'],
    [{ token: 'A'.repeat(400) }, 'page.token is not one that this query was given'],
    [{ token: 'A'.repeat(9_000) }, 'page.token is too long'],
    ['text', 'page must be an object'],
  ])('%j is refused', async (page, detail) => {
    await expectRefusal(await post(path, { ...valid, page }), 400, detail);
  });
});
