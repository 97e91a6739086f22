import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clock, ok } from '../kernel/index.ts';
import type { PolicyInput } from './policy-input.ts';
import { type SearchBounds, type SearchPage, searchAccess } from './search-access.ts';
import { pageOf } from './search-candidates.ts';
import type { SearchQuestion } from './search-request.ts';
import { type SubjectFactsSource, unknownSubjectFacts } from './subject-facts.ts';
import { createWorkTurns } from './work-turns.ts';

const question: SearchQuestion = {
  search: 'resource',
  subject: { type: 'user', id: 'ann', properties: undefined },
  action: { name: 'read', properties: undefined },
  resource: { type: 'doc', properties: { a: 1 } },
  context: undefined,
};
const clock: Clock = { now: () => new Date(0) };
const facts: SubjectFactsSource = { find: async (organizationId) => unknownSubjectFacts(organizationId) };

function setUp(all: readonly string[], permitted: ReadonlySet<string>, more: { clock?: Clock } = {}) {
  const asked: PolicyInput[] = [];
  const deps = {
    clock,
    facts,
    turns: async () => undefined,
    candidates: { list: async (one: { after: string; countMax: number }) => ok(pageOf(all, one)) },
    engine: {
      evaluate: (input: PolicyInput) => {
        asked.push(input);
        return { decision: permitted.has(input.resource.id), code: 'x', revision: 'r1' };
      },
    },
    ...more,
  };
  return { deps, asked };
}

async function searchPage(
  deps: Parameters<typeof searchAccess>[0],
  after: string,
  limit: number,
  bounds?: SearchBounds,
) {
  const asked = { organizationId: 'org_1', question, after, limit };
  const page = await searchAccess({ ...deps, searchBounds: bounds }, asked);
  if (!page.ok) throw new Error(page.failure.code);
  return page.value;
}

const ids = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 4 }), { maxLength: 40 })
  .map((all) => all.sort());

describe('the pages of a search', () => {
  it('hold every permitted candidate once and in order, whatever the limit and the budget of a request', async () => {
    const property = fc.asyncProperty(
      ids.chain((all) => fc.tuple(fc.constant(all), fc.subarray(all))),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 50 }),
      async ([all, permitted], limit, candidatesMax) => {
        const { deps } = setUp(all, new Set(permitted));
        const found: string[] = [];
        let page: SearchPage | undefined;
        do {
          page = await searchPage(deps, page?.next ?? '', limit, { candidatesMax, seconds: 1 });
          expect(page.found.length).toBeLessThanOrEqual(limit);
          found.push(...page.found);
        } while (page.next !== undefined);
        expect(found).toEqual(permitted);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('say that there is no more only when everything was tried', async () => {
    const { deps, asked } = setUp(['a', 'b', 'c'], new Set(['a', 'b']));
    expect((await searchPage(deps, '', 2)).next).toBeUndefined();
    expect(asked.map(({ resource }) => resource.id)).toEqual(['a', 'b', 'c']);
    expect((await searchPage(deps, '', 1)).next).toBe('a');
  });

  it('of no length find nothing, and tell whether there would be something', async () => {
    const { deps } = setUp(['a', 'b'], new Set(['b']));
    expect(await searchPage(deps, '', 0)).toMatchObject({ found: [], next: 'a' });
    expect(await searchPage(setUp(['a'], new Set()).deps, '', 0)).toMatchObject({
      found: [],
      next: undefined,
    });
  });

  it('end early when their time is up, with what was found and where to go on', async () => {
    let milliseconds = 0;
    const now = () => {
      milliseconds += 400;
      return new Date(milliseconds);
    };
    const { deps } = setUp(['a', 'b', 'c'], new Set(['a', 'b', 'c']), { clock: { now } });
    const page = await searchPage(deps, '', 9);
    expect(page.found.length).toBeGreaterThan(0);
    expect(page.next).toBe(page.found.at(-1));
  });
});

describe('a search', () => {
  it('asks of each candidate the very question of an evaluation', async () => {
    const { deps, asked } = setUp(['a'], new Set());
    await searchPage(deps, '', 9);
    expect(asked).toEqual([
      {
        now: 0,
        organization: { id: 'org_1', status: 'active' },
        subject: { type: 'user', id: 'ann', known: false, status: 'disabled', teams: [] },
        bindings: [],
        action: { name: 'read' },
        resource: { type: 'doc', id: 'a', properties: { a: 1 } },
        context: {},
      },
    ]);
  });

  it('throws rather than leave out a candidate whose facts could not be had', async () => {
    const { deps } = setUp(['a', 'b'], new Set(['a', 'b']));
    const broken = {
      ...deps,
      facts: { find: async () => Promise.reject(new Error('down')) },
    };
    await expect(searchPage(broken, '', 9)).rejects.toThrow('down');
    const withoutPolicy = { ...deps, engine: { evaluate: () => ({ decision: false, code: 'error' }) } };
    await expect(searchPage(withoutPolicy, '', 9)).rejects.toThrow('A candidate was not decided');
  });

  it('counts the candidates on which the policy failed, and goes on', async () => {
    const { deps } = setUp(['a', 'b', 'c'], new Set(['a', 'c']));
    const evaluate = (input: PolicyInput) =>
      input.resource.id === 'b'
        ? { decision: false, code: 'error', revision: 'r1' }
        : deps.engine.evaluate(input);
    const page = await searchPage({ ...deps, engine: { evaluate } }, '', 9);
    expect(page).toMatchObject({ found: ['a', 'c'], undecided: 1, next: undefined });
  });

  // Threat: whoever may search keeps everyone else waiting for an answer.
  it('lets others go on after 16 candidates at most, however many search', async () => {
    const all = Array.from({ length: 1_000 }, (_, n) => String(n)).sort();
    const { deps, asked } = setUp(all, new Set(all));
    const turns = createWorkTurns();
    let isDone = false;
    const gaps: number[] = [];
    const look = (before: number) => {
      gaps.push(asked.length - before);
      if (!isDone) setImmediate(look, asked.length);
    };
    setImmediate(look, 0);
    await Promise.all([1, 2, 3].map(() => searchPage({ ...deps, turns }, '', 2_000)));
    isDone = true;
    expect(asked).toHaveLength(3_000);
    // Each begins before there are turns to take; from then on one of them a round goes on.
    const [beginning = 0, ...later] = gaps;
    expect(beginning).toBeLessThanOrEqual(3 * 16);
    expect(Math.max(...later)).toBe(16);
  });

  // Threat: one unit of a caller's limit buys two thousand evaluations.
  it('cost the caller each candidate that was tried, and end where its allowance does', async () => {
    const all = Array.from({ length: 100 }, (_, n) => `${n}`.padStart(3, '0'));
    const { deps, asked } = setUp(all, new Set(all));
    let left = 70;
    const allowance = {
      take: (count: number) => {
        if (count > left) return { isAdmitted: false, retryAfterSeconds: 7 } as const;
        left -= count;
        return { isAdmitted: true } as const;
      },
      giveBack: (count: number) => {
        left += count;
      },
    };
    const page = await searchPage({ ...deps, allowance }, '', 100);
    expect(asked).toHaveLength(64);
    expect(page).toMatchObject({ found: all.slice(0, 64), next: '063' });
    expect(left).toBe(6);
    const refused = { organizationId: 'org_1', question, after: '063', limit: 100 };
    expect(await searchAccess({ ...deps, allowance }, refused)).toMatchObject({
      failure: { code: 'rate_limit.exceeded', retryAfterSeconds: 7 },
    });
    left = 70;
    expect(await searchPage({ ...deps, allowance }, '063', 100)).toMatchObject({ next: undefined });
    left = 70;
    await searchPage({ ...deps, allowance }, '', 4);
    expect(left).toBe(65);
  });
});
