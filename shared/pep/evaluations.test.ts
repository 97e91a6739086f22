import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { assemblePep } from './assemble-pep.ts';
import type { EvaluationsSemantic, PepOptions, Question } from './index.ts';

const semantics: readonly EvaluationsSemantic[] = [
  'execute_all',
  'deny_on_first_deny',
  'permit_on_first_permit',
];

/** The decision is in the id, so that an answer given to the wrong question shows. */
const ask = (answer: boolean, index: number): Question => ({
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'document', id: `${index}-${answer}` },
});

/** What AuthZEN 1.0 section 7.1.1 says of a whole list. */
function cut(decisions: readonly boolean[], semantic: EvaluationsSemantic): readonly boolean[] {
  const decides =
    semantic === 'deny_on_first_deny' ? false : semantic === 'permit_on_first_permit' ? true : undefined;
  const end = decides === undefined ? -1 : decisions.indexOf(decides);
  return end === -1 ? decisions : decisions.slice(0, end + 1);
}

type Batch = { evaluations: Question[]; options: { evaluations_semantic: EvaluationsSemantic } };

function createDecisionPoint(options: Partial<PepOptions> = {}) {
  const bodies: string[] = [];
  const decide = ({ resource }: Question) => ({
    decision: resource.id.endsWith('true'),
    context: { id: resource.id, cache_seconds: 60 },
  });
  const answer = (body: Batch | Question) => {
    if (!('evaluations' in body)) return decide(body);
    const semantic = body.options.evaluations_semantic;
    const all = body.evaluations.map(decide);
    return {
      evaluations: all.slice(
        0,
        cut(
          all.map(({ decision }) => decision),
          semantic,
        ).length,
      ),
    };
  };
  const fetch = async (_url: unknown, init: RequestInit = {}) => {
    bodies.push(String(init.body));
    return Response.json(answer(JSON.parse(String(init.body))));
  };
  const clock = { now: () => new Date(0) };
  const pep = assemblePep({ fetch, clock }, { url: 'http://pdp.test', credential: 'key', ...options });
  return { pep, bodies };
}

test('any list, split by any limits and partly cached, is answered as one batch would be', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { maxLength: 25 }),
      fc.array(fc.nat(24), { maxLength: 5 }),
      fc.constantFrom(...semantics),
      fc.record({ itemsMax: fc.integer({ min: 1, max: 9 }), bytesMax: fc.integer({ min: 200, max: 1000 }) }),
      fc.boolean(),
      async (decisions, first, semantic, batch, isCached) => {
        const { pep, bodies } = createDecisionPoint({
          batch,
          ...(isCached ? { cache: { entriesMax: 99, ttlMs: 1000 } } : {}),
        });
        const questions = decisions.map(ask);
        for (const index of first) {
          const question = questions[index];
          if (question !== undefined) await pep.evaluate(question);
        }
        bodies.length = 0;
        const outcomes = await pep.evaluateAll(questions, semantic);
        expect(outcomes.map(({ decision }) => decision)).toEqual(cut(decisions, semantic));
        const ids = outcomes.map((outcome) => ('context' in outcome ? outcome.context['id'] : undefined));
        expect(ids).toEqual(questions.slice(0, outcomes.length).map(({ resource }) => resource.id));
        for (const body of bodies) {
          const { evaluations } = JSON.parse(body) as Batch;
          expect(evaluations.length).toBeLessThanOrEqual(batch.itemsMax);
          expect(evaluations.length === 1 || body.length <= batch.bytesMax).toBe(true);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('nothing is asked beyond the deciding answer', async () => {
  const { pep, bodies } = createDecisionPoint({ batch: { itemsMax: 2 } });
  await pep.evaluateAll([true, true, true, false, true, true].map(ask), 'deny_on_first_deny');
  expect(bodies).toHaveLength(2);
});

test('an empty list asks nothing', async () => {
  const { pep, bodies } = createDecisionPoint();
  expect(await pep.evaluateAll([])).toEqual([]);
  expect(bodies).toEqual([]);
});

test('a question that is none is undecided, and the others are answered', async () => {
  const { pep } = createDecisionPoint();
  const none = { ...ask(true, 1), subject: { type: 'user', id: '' } };
  expect(await pep.evaluateAll([ask(true, 0), none, ask(true, 2)])).toMatchObject([
    { outcome: 'allow' },
    { failure: { code: 'question.malformed' } },
    { outcome: 'allow' },
  ]);
});

describe('answers of which it is not sure whose they are count for none', () => {
  const yes = { decision: true };
  const no = { decision: false };
  it.each<[string, EvaluationsSemantic, unknown]>([
    ['none', 'execute_all', []],
    ['too few', 'execute_all', [yes, yes]],
    ['too many', 'execute_all', [yes, yes, yes, yes]],
    ['no list', 'execute_all', { 0: yes, 1: yes, 2: yes, length: 3 }],
    ['one decision for all', 'execute_all', undefined],
    ['one that is none', 'execute_all', [yes, { decision: 'true' }, yes]],
    ['a cut that nothing decided', 'deny_on_first_deny', [yes, yes]],
    ['a cut that nothing decided', 'permit_on_first_permit', [no, no]],
    ['too many', 'permit_on_first_permit', [no, no, no, yes]],
  ])('%s, %s', async (_name, semantic, evaluations) => {
    const fetch = async () => Response.json({ decision: true, evaluations });
    const pep = assemblePep(
      { fetch, clock: { now: () => new Date(0) } },
      { url: 'http://pdp.test', credential: 'key' },
    );
    const outcomes = await pep.evaluateAll(
      [1, 2, 3].map((index) => ask(true, index)),
      semantic,
    );
    const failed = { outcome: 'error', decision: false, failure: { code: 'answer.malformed' } };
    expect(outcomes).toEqual(semantic === 'deny_on_first_deny' ? [failed] : [failed, failed, failed]);
  });
});

test('a decision point that ignores the semantic is cut here', async () => {
  const fetch = async () =>
    Response.json({ evaluations: [{ decision: false }, { decision: true }, { decision: true }] });
  const pep = assemblePep(
    { fetch, clock: { now: () => new Date(0) } },
    { url: 'http://pdp.test', credential: 'key' },
  );
  const outcomes = await pep.evaluateAll(
    [1, 2, 3].map((index) => ask(true, index)),
    'deny_on_first_deny',
  );
  expect(outcomes).toMatchObject([{ outcome: 'deny' }]);
});

test('a failed item is undecided and denies; the others stand', async () => {
  const error = { status: 404, message: 'Resource not found' };
  const fetch = async () =>
    Response.json({
      evaluations: [{ decision: true }, { decision: false, context: { error } }, { decision: true }],
    });
  const pep = assemblePep(
    { fetch, clock: { now: () => new Date(0) } },
    { url: 'http://pdp.test', credential: 'key' },
  );
  expect(await pep.evaluateAll([1, 2, 3].map((index) => ask(true, index)))).toMatchObject([
    { outcome: 'allow' },
    { outcome: 'error', failure: { code: 'answer.undecided', cause: error } },
    { outcome: 'allow' },
  ]);
});

test('after a batch that failed the rest is undecided, unasked, and told once', async () => {
  const failures: string[] = [];
  let sent = 0;
  const fetch = async () => {
    sent++;
    return new Response('', { status: 503 });
  };
  const pep = assemblePep(
    { fetch, clock: { now: () => new Date(0) } },
    {
      url: 'http://pdp.test',
      credential: 'key',
      batch: { itemsMax: 1 },
      onError: ({ code }) => void failures.push(code),
    },
  );
  const outcomes = await pep.evaluateAll([1, 2, 3].map((index) => ask(true, index)));
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(['error', 'error', 'error']);
  expect(sent).toBe(1);
  expect(failures).toEqual(['decision_point.failed']);
});
