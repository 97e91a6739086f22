import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOpa } from '../../../policies/build.ts';
import { type DecisionPoint, startDecisionPoint } from './decision-point.ts';
import {
  type EvaluationCase,
  employeeIds,
  gatewayCases,
  mayDoRecord,
  recordActions,
  recordIds,
  todoCases,
} from './interop-rules.ts';

const opa = await findOpa();
let point: DecisionPoint;

// One at a time: each is a whole world.
function serving(scenario: string) {
  beforeAll(async () => {
    point = await startDecisionPoint(opa ?? '', scenario);
  });
  afterAll(() => point[Symbol.asyncDispose]());
}

/** Whole texts: a dead decision point, whose errors read as `false`, passes no case. */
async function expectAnswers(
  path: string,
  cases: readonly { body: object; expected: object }[],
): Promise<void> {
  for (const { body, expected } of cases) {
    const { status, text } = await point.ask(path, body);
    expect({ body, status, text }).toEqual({ body, status: 200, text: JSON.stringify(expected) });
  }
}

const toEvaluation = ({ expected, ...body }: EvaluationCase) => ({ body, expected: { decision: expected } });

describe.skipIf(opa === undefined)('the todo scenario', () => {
  serving('todo');

  it('is answered as its rules say, in 40 questions', async () => {
    const cases = todoCases();
    expect(cases).toHaveLength(40);
    expect(new Set(cases.map(({ expected }) => expected)).size).toBe(2);
    await expectAnswers('/access/v1/evaluation', cases.map(toEvaluation));
  });

  it.each(['Rick', 'an editor', 'a viewer'].map((who, n) => [who, [0, 1, 4][n] ?? 0] as const))(
    'is answered in a batch of two todos for %s',
    async (_, person) => {
      const id = [...new Set(todoCases().map(({ subject }) => subject.id))][person];
      const updates = todoCases().filter(
        ({ subject, action }) => subject.id === id && action.name === 'can_update_todo',
      );
      expect(updates).toHaveLength(2);
      const [first] = updates;
      const body = {
        subject: first?.subject,
        action: first?.action,
        evaluations: updates.map(({ resource }) => ({ resource })),
      };
      const evaluations = updates.map(({ expected }) => ({ decision: expected }));
      await expectAnswers('/access/v1/evaluations', [{ body, expected: { evaluations } }]);
    },
  );
});

describe.skipIf(opa === undefined)('the API gateway scenario', () => {
  serving('gateway');

  it('is answered as its rules say, in 25 questions', async () => {
    expect(gatewayCases()).toHaveLength(25);
    await expectAnswers('/access/v1/evaluation', gatewayCases().map(toEvaluation));
  });

  it('permits nothing to who is not known', async () => {
    const stranger = { type: 'identity', id: 'nobody' };
    const cases = gatewayCases().map((one) => ({ ...one, subject: stranger, expected: false }));
    await expectAnswers('/access/v1/evaluation', cases.map(toEvaluation));
  });
});

describe.skipIf(opa === undefined)('the search scenario', () => {
  serving('search');

  it('finds who may do what to a record, in 60 searches', async () => {
    const cases = recordIds.flatMap((recordId) =>
      recordActions.map((name) => ({
        body: { subject: { type: 'user' }, action: { name }, resource: { type: 'record', id: recordId } },
        expected: {
          results: employeeIds
            .filter((id) => mayDoRecord(id, name, recordId))
            .map((id) => ({ type: 'user', id })),
        },
      })),
    );
    expect(cases).toHaveLength(60);
    await expectAnswers('/access/v1/search/subject', cases);
  });

  it('finds the records someone may do something to, in 18 searches', async () => {
    const cases = employeeIds.flatMap((employee) =>
      recordActions.map((name) => ({
        body: { subject: { type: 'user', id: employee }, action: { name }, resource: { type: 'record' } },
        expected: {
          results: recordIds
            .filter((id) => mayDoRecord(employee, name, id))
            .map((id) => ({ type: 'record', id })),
        },
      })),
    );
    expect(cases).toHaveLength(18);
    await expectAnswers('/access/v1/search/resource', cases);
  });

  it('finds what someone may do to a record, in 120 searches, some of them for nothing', async () => {
    const cases = employeeIds.flatMap((employee) =>
      recordIds.map((recordId) => ({
        body: { subject: { type: 'user', id: employee }, resource: { type: 'record', id: recordId } },
        expected: {
          results: [...recordActions]
            .sort()
            .filter((name) => mayDoRecord(employee, name, recordId))
            .map((name) => ({ name })),
        },
      })),
    );
    expect(cases).toHaveLength(120);
    expect(cases.filter(({ expected }) => expected.results.length === 0).length).toBeGreaterThan(20);
    await expectAnswers('/access/v1/search/action', cases);
  });

  it('says which records go into the ID token of each user, as the identity provider scenario asks', async () => {
    const cases = employeeIds.map((employee) => ({
      body: {
        subject: { type: 'user', id: employee },
        action: { name: 'delete' },
        resource: { type: 'record' },
      },
      expected: {
        results: recordIds
          .filter((id) => mayDoRecord(employee, 'delete', id))
          .map((id) => ({ type: 'record', id })),
      },
    }));
    expect(cases).toHaveLength(6);
    await expectAnswers('/access/v1/search/resource', cases);
  });

  it('finds exactly what an evaluation permits, for every triple there is', async () => {
    const triples = employeeIds.flatMap((id) =>
      recordIds.flatMap((recordId) => recordActions.map((name) => [id, name, recordId] as const)),
    );
    const toItem = ([id, name, recordId]: (typeof triples)[number]) => ({
      subject: { type: 'user', id },
      action: { name },
      resource: { type: 'record', id: recordId },
    });
    for (let from = 0; from < triples.length; from += 100) {
      const chunk = triples.slice(from, from + 100);
      const { json } = await point.ask('/access/v1/evaluations', { evaluations: chunk.map(toItem) });
      expect(json.evaluations).toEqual(chunk.map((triple) => ({ decision: mayDoRecord(...triple) })));
    }
  });
});
