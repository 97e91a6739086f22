import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findOpa } from '../../../policies/build.ts';
import { publicUrl } from '../../support/authorize-instance.ts';
import { type DecisionPoint, startDecisionPoint } from './decision-point.ts';

const opa = await findOpa();
let point: DecisionPoint;

beforeAll(async () => {
  if (opa !== undefined) point = await startDecisionPoint(opa, 'certification');
});
afterAll(() => point?.[Symbol.asyncDispose]());

const evaluation = '/access/v1/evaluation';
const evaluations = '/access/v1/evaluations';
const user = (id: string, properties?: object) => ({ type: 'user', id, ...(properties && { properties }) });
const record = (id: string, properties?: object) => ({
  type: 'record',
  id,
  ...(properties && { properties }),
});
const action = (name: string, properties?: object) => ({ name, ...(properties && { properties }) });
const [alice, bob, admin] = [user('alice'), user('bob'), user('bob', { role: 'admin' })];
const [record1, archived] = [record('record-1'), record('record-2', { status: 'archived' })];

const fixture = [
  ['Core 1', alice, action('read'), record1, true],
  ['Core 2', alice, action('write'), record1, true],
  ['Core 3', bob, action('read'), record1, true],
  // Stored as admin: a rule "an admin may do everything" fails here.
  ['Core 4', bob, action('write'), record1, false],
  ['Properties 5', alice, action('write'), archived, false],
  ['Properties 6', admin, action('write'), archived, true],
  ['Properties 7', alice, action('delete', { soft: true }), record1, true],
  ['Properties 8', alice, action('delete', { soft: false }), record1, false],
] as const;

describe.skipIf(opa === undefined)('Basic', () => {
  it.each(fixture)(
    '%s is decided as required, however often it is asked',
    async (_, subject, act, resource, decision) => {
      for (let times = 0; times < 3; times++) {
        const answer = await point.ask(evaluation, { subject, action: act, resource });
        expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
        expect(answer.json).toEqual({ decision });
      }
    },
  );

  it('takes a context, further properties and fields of the future without another decision', async () => {
    const body = {
      subject: user('alice', { department: 'Sales', role: 'manager' }),
      action: action('read', { method: 'GET' }),
      resource: record('record-1', { status: 'active', owner: 'bob' }),
      context: { time: '2026-06-27T18:03-07:00', ip: '192.0.2.1' },
      foo: 'bar',
      futureField: { nested: true },
    };
    expect((await point.ask(evaluation, body)).json).toEqual({ decision: true });
  });
});

describe.skipIf(opa === undefined)('Batch', () => {
  const decisions = async (body: object) => {
    const { status, json } = await point.ask(evaluations, body);
    expect(status).toBe(200);
    return json.evaluations.map((each: { decision: unknown }) => each.decision);
  };

  it('Core: answers each item in its place, and nothing at the top', async () => {
    const { text } = await point.ask(evaluations, {
      subject: bob,
      resource: record1,
      evaluations: [{ action: action('read') }, { action: action('write') }],
    });
    expect(text).toBe('{"evaluations":[{"decision":true},{"decision":false}]}');
  });

  it('Core: takes items that say all themselves, and contexts of their own', async () => {
    const items = fixture.map(([, subject, act, resource]) => ({
      subject,
      action: act,
      resource,
      context: { n: 1 },
    }));
    expect(await decisions({ evaluations: items, context: { n: 0 } })).toEqual(
      fixture.map(([, , , , decision]) => decision),
    );
  });

  it('Properties: judges the properties of each item’s own resource and subject', async () => {
    const resources = [record('record-1', { status: 'active' }), archived].map((resource) => ({ resource }));
    expect(await decisions({ subject: alice, action: action('write'), evaluations: resources })).toEqual([
      true,
      false,
    ]);
    const subjects = [alice, admin].map((subject) => ({ subject }));
    expect(await decisions({ action: action('write'), resource: archived, evaluations: subjects })).toEqual([
      false,
      true,
    ]);
  });

  it('Properties: replaces an entity whole, and lets only what is required fall back', async () => {
    const evaluationsOf = [
      { resource: { id: 'record-1', properties: { status: 'active' } } },
      { resource: archived },
    ];
    const body = {
      subject: alice,
      action: action('write'),
      resource: { type: 'record' },
      evaluations: evaluationsOf,
    };
    expect(await decisions(body)).toEqual([true, false]);
    // The default's properties are those of another record: they must not follow.
    const inherited = { ...body, resource: archived, evaluations: [{ resource: { id: 'record-1' } }, {}] };
    expect(await decisions(inherited)).toEqual([true, false]);
  });

  it('answers an item that cannot be asked with false, and says why', async () => {
    const { status, json } = await point.ask(evaluations, {
      subject: alice,
      action: action('read'),
      evaluations: [{ resource: record1 }, {}],
    });
    expect(status).toBe(200);
    expect(json.evaluations).toEqual([
      { decision: true },
      { decision: false, context: { error: { status: 400, message: 'resource is required' } } },
    ]);
  });

  it.each([{}, { evaluations: [] }, { evaluations: null }])(
    'without items (%j) is a single evaluation',
    async (items) => {
      const body = { subject: alice, action: action('read'), resource: record1, ...items };
      expect((await point.ask(evaluations, body)).text).toBe('{"decision":true}');
      expect((await point.ask(evaluations, { subject: alice, ...items })).status).toBe(400);
    },
  );
});

describe.skipIf(opa === undefined)('Search', () => {
  const subjects = '/access/v1/search/subject';
  const resources = '/access/v1/search/resource';
  const actions = '/access/v1/search/action';

  it.each([
    [
      'Core: readers',
      subjects,
      { subject: { type: 'user' }, action: action('read'), resource: record1 },
      [alice, bob],
    ],
    [
      'Core: readable',
      resources,
      { subject: alice, action: action('read'), resource: { type: 'record' } },
      [record1, record('record-2')],
    ],
    ['Core: actions', actions, { subject: alice, resource: record1 }, [action('read'), action('write')]],
    [
      'Properties: writers',
      subjects,
      { subject: { type: 'user' }, action: action('write'), resource: archived },
      [bob],
    ],
    [
      'Properties: writable',
      resources,
      { subject: admin, action: action('write'), resource: { type: 'record' } },
      [record('record-2')],
    ],
    [
      'Properties: actions',
      actions,
      { subject: admin, resource: archived },
      [action('read'), action('write')],
    ],
    [
      'an id that is to be ignored',
      subjects,
      { subject: user('carol'), action: action('read'), resource: record1 },
      [alice, bob],
    ],
    [
      'with a context',
      actions,
      { subject: alice, resource: record1, context: { ip: '192.0.2.1' } },
      [action('read'), action('write')],
    ],
    ['an unknown subject', actions, { subject: user('nobody'), resource: record1 }, []],
    [
      'an unknown type',
      subjects,
      { subject: { type: 'spaceship' }, action: action('read'), resource: record1 },
      [],
    ],
    [
      'an unknown resource',
      subjects,
      { subject: { type: 'user' }, action: action('read'), resource: record('record-9') },
      [],
    ],
  ])('%s', async (_, path, body, expected) => {
    const { status, text } = await point.ask(path, body);
    expect(status).toBe(200);
    expect(text).toBe(JSON.stringify({ results: expected }));
  });

  it('goes from page to page with the token alone, to an empty one on the last', async () => {
    const query = { subject: { type: 'user' }, action: action('read'), resource: record1 };
    const first = await point.ask(subjects, { ...query, page: { limit: 1 } });
    expect(first.json).toEqual({
      page: { next_token: expect.stringMatching(/./), count: 1 },
      results: [alice],
    });
    const last = await point.ask(subjects, { ...query, page: { token: first.json.page.next_token } });
    expect(last.json).toEqual({ page: { next_token: '', count: 1 }, results: [bob] });
  });
});

describe.skipIf(opa === undefined)('Discovery', () => {
  it('names every endpoint under the configured identifier, by https', async () => {
    const { status, headers, json } = await point.ask('/.well-known/authzen-configuration', undefined, {
      method: 'GET',
    });
    expect([status, headers.get('content-type')]).toEqual([200, 'application/json']);
    const { policy_decision_point: identifier, ...endpoints } = json;
    expect(identifier).toBe(publicUrl);
    expect(Object.keys(endpoints).sort()).toEqual([
      'access_evaluation_endpoint',
      'access_evaluations_endpoint',
      'search_action_endpoint',
      'search_resource_endpoint',
      'search_subject_endpoint',
    ]);
    for (const endpoint of Object.values<string>(endpoints)) {
      expect(endpoint.startsWith(`${publicUrl}/access/v1/`)).toBe(true);
      const body = { subject: alice, action: action('read'), resource: record1 };
      expect((await point.ask(new URL(endpoint).pathname, body)).status).toBe(200);
    }
  });
});
