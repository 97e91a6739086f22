import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ok } from '../kernel/index.ts';
import { evaluateBatch } from './evaluations-access.ts';
import { type EvaluationsSemantic, evaluationsSemantics } from './evaluations-request.ts';
import type { PolicyInput } from './policy-input.ts';
import {
  type DataRevision,
  type FactsDemand,
  type SubjectFacts,
  unknownSubjectFacts,
} from './subject-facts.ts';

const request = (resource: string, subject = 'ann') => ({
  subject: { type: 'user', id: subject, properties: undefined },
  action: { name: 'read', properties: undefined },
  resource: { type: 'doc', id: resource, properties: undefined },
  context: undefined,
});
const item = (resource: string, subject?: string) => ({
  request: ok(request(resource, subject)),
  source: {},
});
const failed = {
  request: { ok: false, failure: { code: 'request.malformed', detail: 'resource is required' } },
  source: {},
} as const;

/** Permits what is named so; the binding tells which facts were decided on. */
const engine = {
  evaluate: ({ resource, bindings }: PolicyInput) => ({
    decision: resource.id.startsWith('yes'),
    code: 'x',
    revision: 'r1',
    ...(bindings[0] && { binding: bindings[0].id }),
  }),
};

function factsOf(revision: DataRevision): SubjectFacts {
  const scope = { type: 'organization', id: 'org_1' } as const;
  const binding = {
    id: `bind_${revision.subjects}`,
    role: 'r',
    permissions: [],
    effect: 'allow',
    scope,
  } as const;
  return {
    ...unknownSubjectFacts('org_1'),
    subject: { known: true, status: 'active', teams: [] },
    bindings: [binding],
    revision,
  };
}

function setUp(
  find: (n: number, demand: FactsDemand) => DataRevision = () => ({ data: 1, subjects: 1, resources: 1 }),
) {
  let reads = 0;
  const instants: number[] = [];
  const deps = {
    facts: {
      find: async (_: string, __: object, demand: FactsDemand = {}) => factsOf(find(reads++, demand)),
    },
    engine: {
      evaluate: (input: PolicyInput) => {
        instants.push(input.now);
        return engine.evaluate(input);
      },
    },
    clock: { now: () => new Date(1_000 * reads) },
    turns: async () => undefined,
  };
  const evaluate = (
    items: readonly (typeof failed | ReturnType<typeof item>)[],
    semantic: EvaluationsSemantic = 'execute_all',
  ) => evaluateBatch(deps, { organizationId: 'org_1', batch: { semantic, items } });
  return { evaluate, instants, reads: () => reads };
}

describe('a batch', () => {
  it('is answered item by item in order, and cut where its semantic says', async () => {
    const kinds = { yes: item('yes'), no: item('no'), failed };
    const property = fc.asyncProperty(
      fc.array(fc.constantFrom('yes', 'no', 'failed'), { minLength: 1, maxLength: 20 }),
      fc.constantFrom(...evaluationsSemantics),
      async (drawn, semantic) => {
        const outcomes = await setUp().evaluate(
          drawn.map((kind) => kinds[kind as keyof typeof kinds]),
          semantic,
        );
        const got = outcomes.map((one) =>
          'failure' in one ? 'failed' : one.decision.decision ? 'yes' : 'no',
        );
        const stops = {
          execute_all: () => false,
          deny_on_first_deny: (k: string) => k !== 'yes',
          permit_on_first_permit: (k: string) => k === 'yes',
        };
        const end = drawn.findIndex(stops[semantic]);
        expect(got).toEqual(end === -1 ? drawn : drawn.slice(0, end + 1));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  // openfga CVE-2026-34972: the same tuple twice in one batch mixed up the answers.
  it('that holds the same item twice answers both, from one reading', async () => {
    const { evaluate, reads } = setUp();
    const outcomes = await evaluate([item('yes'), item('no'), item('yes'), item('no', 'bea')]);
    expect(outcomes.map((one) => 'decision' in one && one.decision.decision)).toEqual([
      true,
      false,
      true,
      false,
    ]);
    expect(reads()).toBe(3);
  });

  it('is decided in one instant', async () => {
    const { evaluate, instants } = setUp();
    await evaluate([item('a'), item('b'), item('c')]);
    expect(new Set(instants).size).toBe(1);
  });

  it('reads again what was older than another reading of the same subject', async () => {
    const asked: FactsDemand[] = [];
    const { evaluate } = setUp((n, demand) => {
      asked.push(demand);
      return n === 0 ? { data: 3, subjects: 3, resources: 1 } : { data: 5, subjects: 5, resources: 1 };
    });
    const outcomes = await evaluate([item('a'), item('b')]);
    expect(outcomes.map((one) => 'decision' in one && one.decision.binding)).toEqual(['bind_5', 'bind_5']);
    expect(asked[2]).toMatchObject({ minDataRevision: 5, resource: { id: 'a' } });
  });

  it('takes readings of different ages while nothing about subjects changed between them', async () => {
    const { evaluate, reads } = setUp((n) => ({ data: 3 + n, subjects: 3, resources: 3 + n }));
    await evaluate([item('a'), item('b')]);
    expect(reads()).toBe(2);
  });

  it('is not answered from facts that will not hold still', async () => {
    const { evaluate } = setUp((n) => ({ data: n, subjects: n, resources: 0 }));
    await expect(evaluate([item('a'), item('b')])).rejects.toThrow('changed again and again');
  });
});
