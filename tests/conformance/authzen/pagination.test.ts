import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../../support/authorize-instance.ts';
import { seedOrganization } from '../../support/seed-organization.ts';
import { ask } from './decision-point.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;
let other: AuthorizeInstance;
let token: string;
let strangerToken: string;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  [instance, other] = await Promise.all([startAuthorizeInstance(world), startAuthorizeInstance(world)]);
  [token, strangerToken] = await Promise.all([issueFor(5), issueFor(5)]);
});
afterAll(async () => {
  await Promise.all([instance.close(), other.close()]);
  await world[Symbol.asyncDispose]();
});

async function issueFor(members: number): Promise<string> {
  const users = Array.from({ length: members }, (_, n) => `user-${n}`);
  const organization = await seedOrganization(world.pool, {
    users,
    serviceAccounts: ['gateway'],
    teams: { all: { members: users } },
    roles: { reader: ['document:read', 'document:write'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'reader', subject: 'all' },
    ],
  });
  return (await world.keys.issue(organization, 'gateway')).text;
}

const query = {
  subject: { type: 'user' },
  action: { name: 'read' },
  resource: { type: 'document', id: '42', properties: { a: 1, b: 2 } },
  context: { ip: '192.0.2.1' },
};

async function search(body: object, options: { base?: string; token?: string; kind?: string } = {}) {
  const { base = instance.base, kind = 'subject' } = options;
  return ask(`${base}/access/v1/search/${kind}`, body, { token: options.token ?? token });
}

async function firstPage(limit = 2): Promise<string> {
  const { json } = await search({ ...query, page: { limit } });
  expect(json.results).toHaveLength(limit);
  return json.page.next_token;
}

describe('the token of a page', () => {
  it('is good in any instance, for the same query in any order of members, and as often as it is sent', async () => {
    const page = { token: await firstPage() };
    const reordered = {
      context: query.context,
      resource: { properties: { b: 2, a: 1 }, id: '42', type: 'document' },
      action: query.action,
      subject: { id: 'ignored', type: 'user' },
      page,
    };
    const answers = [
      await search({ ...query, page }),
      await search({ ...query, page: { ...page, limit: 2 } }),
      await search(reordered, { base: other.base }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ json }) => JSON.stringify(json.results))).size).toBe(1);
  });

  it.each([
    ['action', { action: { name: 'write' } }],
    ['attribute of the action', { action: { name: 'read', properties: { soft: true } } }],
    ['resource', { resource: { ...query.resource, id: '43' } }],
    ['attribute of the resource', { resource: { ...query.resource, properties: { a: 1, b: 3 } } }],
    ['type of subject', { subject: { type: 'service_account' } }],
    ['attribute of the subject', { subject: { type: 'user', properties: { a: 1 } } }],
    ['context', { context: { ip: '192.0.2.2' } }],
    ['limit', { page: { limit: 3 } }],
  ])('is refused with another %s', async (_, change) => {
    const page = { ...Reflect.get(change, 'page'), token: await firstPage() };
    const answer = await search({ ...query, ...change, page });
    expect([answer.status, answer.json.code]).toEqual([400, 'request.malformed']);
    expect(answer.json.detail).toMatch(/^page\.(token|limit) /);
  });

  it('is refused in another search, and to another organization', async () => {
    const page = { token: await firstPage() };
    const body = { ...query, subject: { type: 'user', id: 'x' }, page };
    expect((await search(body, { kind: 'resource' })).status).toBe(400);
    expect((await search({ ...query, page }, { token: strangerToken })).status).toBe(400);
  });

  // Threat: where a page ended may be the id of someone who is not permitted.
  it('shows nothing of what is in it', async () => {
    const { json } = await search({ ...query, page: { limit: 2 } });
    const sealed = Buffer.from(json.page.next_token, 'base64url');
    for (const { id } of json.results) {
      expect(json.page.next_token).not.toContain(id);
      expect(sealed.includes(id)).toBe(false);
    }
    expect(await firstPage()).not.toBe(await firstPage());
  });
});

describe('the size of a page', () => {
  it('may be nothing, and tells that there is something', async () => {
    const { json } = await search({ ...query, page: { limit: 0 } });
    expect(json).toMatchObject({ results: [], page: { count: 0, next_token: expect.stringMatching(/./) } });
  });

  it('is ours where the request asks for more, and nothing is said of pages where nothing was asked', async () => {
    const { json } = await search({ ...query, page: { limit: 1_000_000 } });
    expect(json).toMatchObject({ page: { next_token: '', count: 5 } });
    expect(Object.keys((await search(query)).json)).toEqual(['results']);
    expect((await search({ ...query, page: {} })).json.page).toEqual({ next_token: '', count: 5 });
  });
});
