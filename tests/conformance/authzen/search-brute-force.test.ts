import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../../support/authorize-instance.ts';
import { repeatUntil } from '../../support/repeat-until.ts';
import { ask } from './decision-point.ts';
import {
  createModel,
  type Entity,
  randomOrganization,
  resourceTypes,
  settle,
} from './random-organization.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

type Result = { readonly id?: string; readonly name?: string };
type Query = { readonly kind: 'subject' | 'resource' | 'action'; readonly body: object };

async function askPage(query: Query, token: string, page?: object) {
  const body = page === undefined ? query.body : { ...query.body, page };
  const answer = await ask(`${instance.base}/access/v1/search/${query.kind}`, body, { token });
  return answer;
}

/** All pages to the end, each no longer than it may be and only the last without a token. */
async function askAll(query: Query, token: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let page: object = { limit }; ; ) {
    const { status, json } = await askPage(query, token, page);
    expect(status).toBe(200);
    const results: Result[] = json.results;
    expect(results.length).toBeLessThanOrEqual(limit);
    expect(json.page.count).toBe(results.length);
    found.push(...results.map(({ id, name }) => id ?? name ?? ''));
    if (json.page.next_token === '') return found;
    // The budget of one request is far above these: a page that is not the last is full.
    expect(results).toHaveLength(limit);
    page = { token: json.page.next_token };
  }
}

const runs = { numRuns: 25 };

describe('a search over a random organization', () => {
  it('finds exactly what the model permits, in order, whatever the page size', async () => {
    const seen = { found: 0, empty: 0 };
    const hasMetEnough = () => Math.min(seen.found, seen.empty) > 50;
    await repeatUntil(hasMetEnough, () =>
      fc.assert(
        fc.asyncProperty(randomOrganization, fc.integer({ min: 1, max: 4 }), async (drawn, limit) => {
          const organization = await settle(world, drawn);
          const { text: token } = await world.keys.issue(organization, 'caller');
          const model = createModel(drawn, organization);
          const expectExactly = async (query: Query, expected: readonly string[]) => {
            const { json } = await askPage(query, token);
            expect(json).toEqual({ results: expect.any(Array) });
            expect(json.results.map(({ id, name }: Result) => id ?? name)).toEqual(expected);
            expect(await askAll(query, token, limit)).toEqual(expected);
            seen[expected.length === 0 ? 'empty' : 'found']++;
          };
          for (const type of resourceTypes) {
            const resources = model.resources(type).map((id) => ({ type, id }));
            for (const resource of resources.slice(0, 2)) {
              for (const subjectType of ['user', 'service_account', 'group'] as const) {
                await expectExactly(
                  {
                    kind: 'subject',
                    body: { subject: { type: subjectType }, action: { name: 'read' }, resource },
                  },
                  model
                    .subjects(subjectType)
                    .filter((id) => model.permits({ type: subjectType, id }, 'read', resource)),
                );
              }
            }
            for (const id of model.subjects('user')) {
              const subject = { type: 'user', id };
              await expectExactly(
                { kind: 'resource', body: { subject, action: { name: 'read' }, resource: { type } } },
                resources.filter((resource) => model.permits(subject, 'read', resource)).map((one) => one.id),
              );
              const resource: Entity = resources[0] ?? { type, id: 'unregistered' };
              await expectExactly(
                { kind: 'action', body: { subject, resource } },
                model.actions(type).filter((action) => model.permits(subject, action, resource)),
              );
            }
          }
        }),
        runs,
      ),
    );
    // A property that is only ever asked of nothing proves nothing.
    expect(seen).toSatisfy(hasMetEnough);
  }, 600_000);
});
