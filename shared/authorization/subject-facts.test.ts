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

/** Facts behind a cache, and how often they were read. */
function cacheFacts(
  find: (id: string) => SubjectFacts = () => ({ ...facts, resource: null }),
  options: { isLive?: boolean; bytesMax?: number; entriesMax?: number } = {},
) {
  const { isLive = true, ...limits } = options;
  const state = { reads: 0 };
  const source = {
    find: async (_: string, { id }: { id: string }) => {
      state.reads++;
      return find(id);
    },
  };
  const feed = { epochOf: () => 0, isLive: () => isLive };
  return { state, cached: cacheSubjectFacts({ source, feed, clock }, limits) };
}
const user = (id: string | number) => ({ type: 'user', id: `usr_${id}` });

describe('remembered facts', () => {
  const tree = Array.from({ length: 1_000 }, (_, n) => `team_${n}`);
  const atRoot = (): SubjectFacts => ({
    ...facts,
    bindings: [
      {
        id: 'bind_1',
        role: 'Member',
        permissions: [],
        effect: 'allow',
        scope: { type: 'team', id: 'team_root', descendants: [...tree] },
      },
    ],
  });

  test('of large subjects take the room that they need: fewer of them are kept', async () => {
    const { state, cached } = cacheFacts(atRoot, { bytesMax: 1024 * 1024 });
    for (let n = 0; n < 100; n++) await cached.find(organizationId, user(n));
    for (let n = 99; n >= 0; n--) await cached.find(organizationId, user(n));
    expect(state.reads).toBeGreaterThan(150);
    await cached.find(organizationId, user(0));
    expect(state.reads).toBeLessThanOrEqual(200);
  });

  // Threat: anyone who may ask makes up subjects until nobody's facts are remembered.
  test('of subjects that do not exist drive out no others', async () => {
    const unknown = { ...facts, subject: { known: false, status: 'disabled', teams: [] } } as const;
    const { state, cached } = cacheFacts((id) => (id === 'usr_1' ? facts : unknown), { entriesMax: 100 });
    await cached.find(organizationId, user(1));
    for (let n = 2; n < 1_000; n++) await cached.find(organizationId, user(n));
    const before = state.reads;
    await cached.find(organizationId, user(1));
    expect(state.reads).toBe(before);
  });

  test('that are too old for one question are renewed for all', async () => {
    const state = { revision: 7 };
    const { state: counted, cached } = cacheFacts(() => ({
      ...facts,
      revision: { data: state.revision, subjects: 7, resources: 3 },
    }));
    await cached.find(organizationId, user(1));
    state.revision = 8;
    for (let n = 0; n < 3; n++) {
      const found = await cached.find(organizationId, user(1), { minDataRevision: 8 });
      expect(found.revision?.data).toBe(8);
    }
    expect(counted.reads).toBe(2);
  });
});

describe('facts that are read ahead', () => {
  const { subject, resource } = request;

  test('are read once, for the question that follows', async () => {
    const { state, cached } = cacheFacts();
    cached.prefetch(organizationId, request);
    expect((await cached.find(organizationId, subject, { resource })).revision).toEqual(facts.revision);
    expect(state.reads).toBe(1);
  });

  test('are not read while nothing may be shared', async () => {
    const { state, cached } = cacheFacts(undefined, { isLive: false });
    cached.prefetch(organizationId, request);
    expect(state.reads).toBe(0);
    await cached.find(organizationId, subject, { resource });
    expect(state.reads).toBe(1);
  });
});

test('what was demanded anew stays remembered when an older reading of the same ends after it', async () => {
  const old = Promise.withResolvers<SubjectFacts>();
  const newer = { ...facts, resource: null, revision: { data: 9, subjects: 9, resources: 3 } };
  const answers = [old.promise, Promise.resolve(newer)];
  const source = { find: () => answers.shift() ?? Promise.reject(new Error('read a third time')) };
  const cached = cacheSubjectFacts({ source, feed: { epochOf: () => 0, isLive: () => true }, clock });
  const resource = { type: 'invoice', id: '1' };
  const racing = cached.find(organizationId, user(1), { resource });
  // The slow reading is shared, and found to be too old: the other is begun, and kept.
  const demanding = cached.find(organizationId, user(1), { resource, minDataRevision: 9 });
  old.resolve({ ...facts, resource: null });
  expect((await demanding).revision?.data).toBe(9);
  expect((await racing).revision?.data).toBe(7);
  expect((await cached.find(organizationId, user(1), { resource })).revision?.data).toBe(9);
});
