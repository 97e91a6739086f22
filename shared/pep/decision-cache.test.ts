import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { assemblePep } from './assemble-pep.ts';
import { createDecisionCache } from './decision-cache.ts';
import type { PepOptions, Question } from './index.ts';
import { type Outcome, undecided } from './outcome.ts';

const start = Date.parse('2026-01-01T00:00:00Z');
const allow: Outcome = { outcome: 'allow', decision: true, context: {} };

/** Six questions that differ in one member each. */
const questions: readonly Question[] = ['a', 'b'].flatMap((id) =>
  [undefined, { amr: ['pwd'] }, { amr: ['mfa'] }].map((context) => ({
    subject: { type: 'user', id },
    action: { name: 'read' },
    resource: { type: 'document', id: '1' },
    ...(context === undefined ? {} : { context }),
  })),
);
const indexOf = (asked: unknown) => questions.findIndex((question) => matches(question, asked as Question));
const matches = (a: Question, b: Question) =>
  a.subject.id === b.subject.id && JSON.stringify(a.context) === JSON.stringify(b.context);

type Channel = 'cache_seconds' | 'expires_at' | 'header' | 'none';
type World = {
  readonly changes: readonly (readonly number[])[];
  readonly channel: Channel;
  readonly share: number;
};

/**
 * A decision point whose decisions change at given seconds, and which tells the truth: an answer's lifetime never
 * reaches beyond the next change.
 */
function createWorld({ changes, channel, share }: World) {
  const state = { second: 0, asked: 0 };
  const clock = { now: () => new Date(start + state.second * 1000) };
  const decide = (question: unknown) => {
    const times = changes[indexOf(question)] ?? [];
    const decision = times.filter((time) => time <= state.second).length % 2 === 0;
    const next = times.find((time) => time > state.second) ?? state.second + 100;
    return { decision, seconds: Math.floor((next - state.second) * share) };
  };
  const present = (question: unknown) => {
    const { decision, seconds } = decide(question);
    const until = new Date(clock.now().getTime() + seconds * 1000).toISOString();
    if (channel === 'cache_seconds') return { decision, context: { cache_seconds: seconds } };
    return channel === 'expires_at' ? { decision, context: { expires_at: until } } : { decision };
  };
  const fetch = async (_url: unknown, init: RequestInit = {}) => {
    const body = JSON.parse(String(init.body));
    const asked: unknown[] = body.evaluations ?? [body];
    state.asked += asked.length;
    const answers = asked.map(present);
    const maxAge = Math.min(...asked.map((question) => decide(question).seconds));
    return Response.json(body.evaluations === undefined ? answers[0] : { evaluations: answers }, {
      headers: channel === 'header' ? { 'cache-control': `max-age=${maxAge}` } : {},
    });
  };
  const options: PepOptions = { url: 'http://pdp.test', credential: 'key' };
  return {
    state,
    open: (cache?: PepOptions['cache']) =>
      assemblePep({ fetch, clock }, cache === undefined ? options : { ...options, cache }),
  };
}

const increasing = fc
  .uniqueArray(fc.integer({ min: 1, max: 40 }), { maxLength: 5 })
  .map((times) => times.sort((a, b) => a - b));
const world = fc.record<World>({
  changes: fc.array(increasing, { minLength: questions.length, maxLength: questions.length }),
  channel: fc.constantFrom<Channel>('cache_seconds', 'expires_at', 'header', 'none'),
  share: fc.constantFrom(0, 0.5, 1),
});
const limits = fc.record({
  entriesMax: fc.integer({ min: 1, max: 7 }),
  ttlMs: fc.integer({ min: 1, max: 30_000 }),
});
const steps = fc.array(
  fc.record({
    wait: fc.integer({ min: 0, max: 6 }),
    asked: fc.array(fc.integer({ min: 0, max: questions.length - 1 }), { minLength: 1, maxLength: 4 }),
  }),
  { minLength: 10, maxLength: 30 },
);

test('cached and uncached answers are the same, whatever is asked in whatever order and time', async () => {
  let saved = 0;
  await fc.assert(
    fc.asyncProperty(world, limits, steps, async (made, cache, taken) => {
      const { state, open } = createWorld(made);
      const cached = open(cache);
      const uncached = open();
      for (const { wait, asked } of taken) {
        state.second += wait;
        const wanted = asked.flatMap((index) => questions[index] ?? []);
        const ask = async (pep: typeof cached) =>
          (wanted.length === 1
            ? [await pep.evaluate(wanted[0] as Question)]
            : await pep.evaluateAll(wanted)
          ).map(({ outcome }) => outcome);
        const before = state.asked;
        const fromCached = await ask(cached);
        saved += wanted.length - (state.asked - before);
        expect(fromCached).toEqual(await ask(uncached));
        expect(fromCached).not.toContain('error');
      }
    }),
    { numRuns: 300 },
  );
  expect(saved).toBeGreaterThan(300);
});

describe('an entry', () => {
  const open = (limits: { entriesMax?: number; ttlMs?: number } = {}) => {
    const state = { now: start };
    const clock = { now: () => new Date(state.now) };
    const cache = createDecisionCache(clock, { entriesMax: 2, ttlMs: 10_000, ...limits });
    const keep = (key: string, lifetimeMs = 5000, outcome: Outcome = allow) =>
      cache.keep(key, outcome, { askedAt: clock.now(), lifetimeMs });
    return { state, cache, keep };
  };

  it('lives until its lifetime ends and not a millisecond longer', () => {
    const { state, cache, keep } = open();
    keep('a');
    state.now = start + 4999;
    expect(cache.find('a')).toBe(allow);
    state.now = start + 5000;
    expect(cache.find('a')).toBeUndefined();
  });

  it('lives no longer than ttlMs, whatever the decision point allows', () => {
    const { state, cache, keep } = open({ ttlMs: 1000 });
    keep('a', 60_000);
    state.now = start + 1000;
    expect(cache.find('a')).toBeUndefined();
  });

  it('lives from the asking: an answer that took its whole lifetime is not kept', () => {
    const { state, cache } = open();
    state.now = start + 5000;
    cache.keep('a', allow, { askedAt: new Date(start), lifetimeMs: 5000 });
    expect(cache.find('a')).toBeUndefined();
  });

  it('is not believed after the clock went back behind its asking', () => {
    const { state, cache, keep } = open();
    keep('a');
    state.now = start - 1;
    expect(cache.find('a')).toBeUndefined();
  });

  it('makes room for others: the one unused for longest goes', () => {
    const { cache, keep } = open();
    keep('a');
    keep('b');
    cache.find('a');
    keep('c');
    expect(['a', 'b', 'c'].map((key) => cache.find(key) !== undefined)).toEqual([true, false, true]);
  });

  it('is replaced by a newer answer, also by one that may not be kept', () => {
    const { cache, keep } = open();
    keep('a');
    keep('a', 0);
    expect(cache.find('a')).toBeUndefined();
  });

  it('is not replaced by an answer that was asked for earlier and came later', () => {
    const { state, cache, keep } = open();
    state.now = start + 1000;
    keep('a');
    const late: Outcome = { ...allow, context: { late: true } };
    cache.keep('a', late, { askedAt: new Date(start), lifetimeMs: 5000 });
    expect(cache.find('a')).toBe(allow);
  });

  // Threat: an allow that was slow on its way is used for a minute after the refusal that overtook it.
  it.each<[string, Outcome, number]>([
    ['a step-up', { outcome: 'step_up', decision: false, stepUp: {}, context: {} }, 5000],
    ['a denial that may not be kept', { outcome: 'deny', decision: false, obligations: [], context: {} }, 0],
    ['a denial whose life is over', { outcome: 'deny', decision: false, obligations: [], context: {} }, 1],
  ])('is not made of a late answer after %s', (_name, refusal, lifetimeMs) => {
    const { state, cache, keep } = open({ ttlMs: 60_000 });
    state.now = start + 1000;
    keep('a', lifetimeMs, refusal);
    state.now = start + 1001;
    cache.find('a');
    cache.keep('a', allow, { askedAt: new Date(start), lifetimeMs: 60_000 });
    expect(cache.find('a')?.outcome).not.toBe('allow');
    keep('a', 5000);
    expect(cache.find('a')).toBe(allow);
  });

  it('is not made of a late answer either where the refusal after it has been forgotten for want of room', () => {
    const { state, cache, keep } = open({ entriesMax: 1 });
    state.now = start + 1000;
    keep('a', 0);
    keep('b', 0);
    cache.keep('a', allow, { askedAt: new Date(start), lifetimeMs: 5000 });
    expect(cache.find('a')).toBeUndefined();
  });

  it('is made again after the clock went back', () => {
    const { state, cache, keep } = open();
    keep('a', 0);
    state.now = start - 60_000;
    keep('a');
    expect(cache.find('a')).toBe(allow);
  });

  it.each<[string, Outcome]>([
    ['an error', undecided({ code: 'answer.undecided' })],
    ['a step-up', { outcome: 'step_up', decision: false, stepUp: {}, context: {} }],
    [
      'a denial with an obligation, which is owed each time',
      { outcome: 'deny', decision: false, obligations: [{ type: 'notification', id: 'n' }], context: {} },
    ],
  ])('is never made of %s', (_name, outcome) => {
    const { cache, keep } = open();
    keep('a', 5000, outcome);
    expect(cache.find('a')).toBeUndefined();
  });
});

// Threat: one process serving two organizations, each with its own credential.
test('an answer to one credential is none to another', async () => {
  let sent = 0;
  let credential = 'first';
  const fetch = async (_url: unknown, init: RequestInit = {}) => {
    sent++;
    const isFirst = new Headers(init.headers).get('authorization') === 'Bearer first';
    return Response.json({ decision: isFirst, context: { cache_seconds: 60 } });
  };
  const pep = assemblePep(
    { fetch, clock: { now: () => new Date(start) } },
    { url: 'http://pdp.test', credential: async () => credential, cache: { entriesMax: 9, ttlMs: 60_000 } },
  );
  const asked = questions[0] as Question;
  expect(await pep.evaluate(asked)).toMatchObject({ outcome: 'allow' });
  credential = 'second';
  expect(await pep.evaluate(asked)).toMatchObject({ outcome: 'deny' });
  credential = 'first';
  expect(await pep.evaluate(asked)).toMatchObject({ outcome: 'allow' });
  expect(sent).toBe(2);
});
