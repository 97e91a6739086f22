import { describe, expect, it } from 'vitest';
import { parseEvaluationsRequest } from './evaluations-request.ts';

const entities = {
  subject: { type: 'user', id: 'ann' },
  action: { name: 'read' },
  resource: { type: 'doc', id: '1' },
};
const large = (length: number) => ({ note: 'x'.repeat(length) });

function outcomesOf(body: object) {
  const parsed = parseEvaluationsRequest(body);
  if (!parsed.ok || parsed.value === undefined) throw new Error('It is no batch');
  return parsed.value.items.map(({ request }) => (request.ok ? 'ok' : request.failure.detail));
}

describe('an item of a batch', () => {
  const tooLarge = 'the item, with what it inherits, takes more than 65536 characters';

  // Threat: a hundred items that share one large default are a hundred large questions.
  it('takes with what it inherits no more than a single question may', () => {
    const items = [{}, { context: {} }, { context: large(70_000) }, { resource: { type: 'doc', id: '2' } }];
    expect(outcomesOf({ ...entities, context: large(65_000), evaluations: items })).toEqual([
      'ok',
      'ok',
      tooLarge,
      'ok',
    ]);
    expect(outcomesOf({ ...entities, context: large(66_000), evaluations: items })).toEqual([
      tooLarge,
      'ok',
      tooLarge,
      tooLarge,
    ]);
  });

  it('shares what it inherits, and copies nothing of it', () => {
    const context = large(10);
    const parsed = parseEvaluationsRequest({ ...entities, context, evaluations: [{}, {}] });
    const contexts =
      parsed.ok && parsed.value?.items.map(({ request }) => (request.ok ? request.value.context : undefined));
    expect(contexts).toEqual([context, context]);
    for (const each of contexts || []) expect(each).toBe(context);
  });

  it.each([[], 'text', 5, true].map((context) => [context]))('has no %j for a context', (context) => {
    expect(outcomesOf({ ...entities, evaluations: [{ context }] })).toEqual(['context must be an object']);
  });
});
