import { describe, expect, test } from 'vitest';
import { cacheSubjectFacts } from './cached-subject-facts.ts';
import { evaluateAccess, toPolicyInput } from './evaluate-access.ts';
import type { PolicyInput } from './policy-input.ts';
import type { SubjectFacts } from './subject-facts.ts';

const organizationId = 'org_01h455vb4pex5vsknk084sn02q';
const clock = { now: () => new Date(1_800_000_000_000) };
const facts: SubjectFacts = {
  organization: { id: organizationId, status: 'active' },
  subject: { known: true, status: 'active', teams: [] },
  bindings: [],
  resourceTypes: ['document'],
  revision: { data: 7, subjects: 7, resources: 3 },
};
const request = {
  subject: { type: 'user', id: 'usr_1', properties: undefined },
  action: { name: 'read', properties: undefined },
  resource: {
    type: 'document',
    id: '42',
    properties: { team: 'team_mine', owner: 'usr_1', level: 1, size: 2 },
  },
  context: undefined,
};
const engine = { evaluate: (_: PolicyInput) => ({ decision: true, code: 'permitted' }) };

describe('facts of a registered resource', () => {
  test('replace what the request says; team and owner are theirs alone', () => {
    const registered = { ...facts, resource: { team: 'team_theirs', attributes: { level: 3 } } };
    expect(toPolicyInput(registered, request, 1).resource).toEqual({
      type: 'document',
      id: '42',
      registered: true,
      properties: { team: 'team_theirs', level: 3, size: 2 },
    });
  });

  // Threat: a registration that says a resource of another organization is one's own.
  test('do not replace the organization that the asking service names', () => {
    const registered = { ...facts, resource: { attributes: { organization: organizationId } } };
    const foreign = { ...request, resource: { ...request.resource, properties: { organization: 'org_2' } } };
    expect(toPolicyInput(registered, foreign, 1).resource.properties).toEqual({ organization: 'org_2' });
  });

  // Threat: a source in between that forgets to look, so that the request's word counts.
  test('are looked up, or nothing is permitted', async () => {
    const ask = (found: SubjectFacts) =>
      evaluateAccess({ facts: { find: async () => found }, engine, clock }, { organizationId, request });
    expect(await ask(facts)).toMatchObject({ decision: false, code: 'error' });
    expect(await ask({ ...facts, resource: null })).toMatchObject({ decision: true, dataRevision: 7 });
    expect(await ask({ ...facts, resourceTypes: [] })).toMatchObject({ decision: true });
  });
});

test('an answer rests on facts no older than demanded, or there is none', async () => {
  const source = { find: async () => ({ ...facts, resource: null }) };
  const ask = (minDataRevision: number) =>
    evaluateAccess({ facts: source, engine, clock }, { organizationId, request, minDataRevision });
  expect((await ask(7)).decision).toBe(true);
  expect(await ask(8)).toMatchObject({ decision: false, code: 'error' });
});

describe('facts that are read ahead', () => {
  const setUp = (isLive: boolean) => {
    const state = { reads: 0 };
    const source = {
      find: async () => {
        state.reads++;
        return { ...facts, resource: null };
      },
    };
    const feed = { epochOf: () => 0, isLive: () => isLive };
    return { state, cached: cacheSubjectFacts({ source, feed, clock }) };
  };
  const { subject, resource } = request;

  test('are read once, for the question that follows', async () => {
    const { state, cached } = setUp(true);
    cached.prefetch(organizationId, request);
    expect((await cached.find(organizationId, subject, { resource })).revision).toEqual(facts.revision);
    expect(state.reads).toBe(1);
  });

  test('are not read while nothing may be shared', async () => {
    const { state, cached } = setUp(false);
    cached.prefetch(organizationId, request);
    expect(state.reads).toBe(0);
    await cached.find(organizationId, subject, { resource });
    expect(state.reads).toBe(1);
  });
});
