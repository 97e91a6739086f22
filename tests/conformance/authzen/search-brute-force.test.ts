import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { invariant } from '../../../shared/kernel/index.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  createAuthorizeWorld,
  startAuthorizeInstance,
} from '../../support/authorize-instance.ts';
import { ask } from './decision-point.ts';
import { createModel, type Omission } from './organization-model.ts';
import { now, randomOrganization } from './random-organization.ts';
import { randomSearches, type Search, searchForms, toSearch } from './random-search.ts';
import { settle } from './settled-organization.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world, { clock: { now: () => now } });
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

type Result = { readonly id?: string; readonly name?: string };

async function askPage({ kind, body }: Search, token: string, page?: object) {
  const asked = page === undefined ? body : { ...body, page };
  return ask(`${instance.base}/access/v1/search/${kind}`, asked, { token });
}

/** All pages to the end, each no longer than it may be and only the last without a token. */
async function askAll(search: Search, token: string, limit: number): Promise<string[]> {
  const found: string[] = [];
  for (let page: object = { limit }; ; ) {
    const { status, json } = await askPage(search, token, page);
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

/** Without it more would be found. */
const narrowing: readonly Omission[] = [
  'mfa',
  'network',
  'time',
  'attribute',
  'owner',
  'expiry',
  'status',
  'deny',
  'scopes',
];
/** Without it less would be found. */
const granting: readonly Omission[] = ['group', 'team', 'registration', 'context'];

/** Which parts of the rules made this answer what it is. */
function causesOf(search: Search, expected: readonly string[]): Omission[] {
  const isNarrowedBy = (part: Omission) => search.expected(part).some((one) => !expected.includes(one));
  const isGrantedBy = (part: Omission) => {
    const without = search.expected(part);
    return expected.some((one) => !without.includes(one));
  };
  return [...narrowing.filter(isNarrowedBy), ...granting.filter(isGrantedBy)];
}

/** Of all that is drawn, so that what is met is the same in every run; said again by fast-check where one fails. */
const runs = { seed: 20_270_119, numRuns: 45 };

describe('a search over a random organization', () => {
  it('finds exactly what the model permits, in order, whatever the page size', async () => {
    const met = new Map<string, number>();
    const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1);
    const limits = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(randomOrganization, randomSearches, limits, async (organization, drawn, limit) => {
        const settled = await settle(world, organization);
        const model = createModel(organization, settled);
        const { text: token } = settled.gateway;
        for (const [place, one] of drawn.entries()) {
          const form = searchForms[place];
          invariant(form, 'there are as many searches as forms');
          const search = toSearch(form, one, { settled, model });
          const expected = search.expected();
          const { json } = await askPage(search, token);
          expect(json, JSON.stringify(search)).toEqual({ results: expect.any(Array) });
          expect(
            json.results.map(({ id, name }: Result) => id ?? name),
            JSON.stringify(search),
          ).toEqual(expected);
          expect(await askAll(search, token, limit)).toEqual(expected);
          meet(`${form.search} by ${form.subjectType}: ${expected.length === 0 ? 'empty' : 'found'}`);
          for (const cause of causesOf(search, expected)) meet(`${form.search}: ${cause}`);
        }
      }),
      runs,
    );
    // A property that is only ever asked of nothing, or never meets a rule, proves nothing about it.
    const expectMet = (what: string, timesMin: number) =>
      expect(met.get(what) ?? 0, what).toBeGreaterThanOrEqual(timesMin);
    for (const { search, subjectType } of searchForms)
      for (const outcome of ['found', 'empty']) expectMet(`${search} by ${subjectType}: ${outcome}`, 5);
    for (const { search } of searchForms)
      for (const cause of [...narrowing, ...granting]) expectMet(`${search}: ${cause}`, 2);
  }, 600_000);
});
