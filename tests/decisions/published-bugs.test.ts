import { describe, expect, test } from 'vitest';
import {
  type BindingFact,
  cacheSubjectFacts,
  type Decision,
  evaluateAccess,
  parseEvaluationRequest,
  type ResourceFacts,
  type SubjectFacts,
  type SubjectFactsSource,
} from '../../shared/authorization/index.ts';
import { createEpochs } from '../../shared/authorization-feed/index.ts';
import { openEngine } from './decision-case.ts';

/** Wrong decisions that other engines published: for each, its class tried on ours, through a warm cache. */
const engine = await openEngine();
const clock = { now: () => new Date(1_800_000_000_000) };
const organizationId = 'org_01h455vb4pex5vsknk084sn02q';

type Ask = Record<string, unknown> & { user?: string; organization?: string };

function setUp(bindings: readonly Partial<BindingFact>[] = [], teams: readonly string[] = []) {
  const epochs = createEpochs();
  const state = {
    bindings: bindings.map(toBinding),
    teams,
    resource: null as ResourceFacts | null,
    reads: 0,
    gate: Promise.resolve(),
    failure: undefined as Error | undefined,
  };
  const source: SubjectFactsSource = {
    find: async (organization, _subject, demand) => {
      state.reads++;
      const read = toFacts(organization, state, demand?.resource?.type === 'document');
      await state.gate;
      if (state.failure !== undefined) throw state.failure;
      return read;
    },
  };
  const facts = cacheSubjectFacts({ source, feed: { epochOf: epochs.of, isLive: () => true }, clock });
  const ask = ({ user = 'usr_1', organization = organizationId, ...asked }: Ask = {}): Promise<Decision> => {
    const request = parseEvaluationRequest({
      subject: { type: 'user', id: user },
      action: { name: 'read' },
      resource: { type: 'document', id: '42' },
      ...asked,
    });
    if (!request.ok) throw new Error(request.failure.detail);
    return evaluateAccess({ facts, engine, clock }, { organizationId: organization, request: request.value });
  };
  return { state, epochs, ask, codes: async (...asked: Ask[]) => codesOf(await Promise.all(asked.map(ask))) };
}

function toBinding(given: Partial<BindingFact>, place: number): BindingFact {
  return {
    id: `bind_${place}`,
    role: 'reader',
    permissions: ['document:read'],
    effect: 'allow',
    scope: { type: 'organization', id: organizationId },
    ...given,
  };
}

function toFacts(
  id: string,
  {
    bindings,
    teams,
    resource,
  }: { bindings: BindingFact[]; teams: readonly string[]; resource: ResourceFacts | null },
  isOfDocument: boolean,
): SubjectFacts {
  return {
    organization: { id, status: 'active' },
    subject: { known: true, status: 'active', teams },
    bindings,
    resourceTypes: ['document'],
    ...(isOfDocument ? { resource } : {}),
  };
}

const codesOf = (decisions: readonly Decision[]) => decisions.map(({ code }) => code);
const from = (ip: string) => ({ context: { network: { ip } } });
const office = { conditions: [{ network: { cidrs: ['10.0.0.0/8'] } }] };
const ofDepartment = {
  conditions: [{ resource: { attribute: 'department', equals: 'subject.department' } }],
};

describe('a warm cache', () => {
  test('CVE-2026-33729, CVE-2026-41131: two questions that differ only in what a condition looks at', async () => {
    const { codes, ask } = setUp([office]);
    await ask(from('10.0.0.1'));
    expect(await codes(from('10.0.0.1'), from('11.0.0.1'), {}, from('10.0.0.1'))).toEqual([
      'permitted',
      'not_permitted',
      'not_permitted',
      'permitted',
    ]);
    // Lists that read alike when they are joined.
    const mfa = setUp([{ conditions: [{ mfa: {} }] }]);
    const by = (amr: string[]) => ({ context: { authentication: { amr } } });
    expect(await mfa.codes(by(['pwd', 'mfa']), by(['pwd,mfa']), by(['pwd mfa']), by(['pwd', 'mfa']))).toEqual(
      ['permitted', 'step_up_required', 'step_up_required', 'permitted'],
    );
  });

  test('CVE-2024-56323: what one question says of a resource is not known of it in the next', async () => {
    const { codes } = setUp([{ scope: { type: 'team', id: 'team_a', descendants: [] } }]);
    const inTeam = { resource: { type: 'document', id: '42', properties: { team: 'team_a' } } };
    expect(await codes(inTeam)).toEqual(['permitted']);
    expect(await codes({})).toEqual(['not_permitted']);
    const { codes: ofSubject } = setUp([ofDepartment]);
    const subject = { type: 'user', id: 'usr_1', properties: { department: 'sales' } };
    const resource = { type: 'document', id: '42', properties: { department: 'sales' } };
    expect(await ofSubject({ subject, resource })).toEqual(['permitted']);
    expect(await ofSubject({ resource }, { subject })).toEqual(['not_permitted', 'not_permitted']);
  });

  test('CVE-2025-46331: a ring of teams, whichever question comes first', async () => {
    const ring = ['team_a', 'team_b'];
    const denial = {
      effect: 'deny' as const,
      scope: { type: 'team' as const, id: 'team_a', descendants: ['team_b', 'team_a'] },
    };
    const inTeam = (team: string) => ({ resource: { type: 'document', id: '42', properties: { team } } });
    for (const order of [ring, [...ring].reverse()]) {
      const { ask } = setUp([{}, denial], ring);
      for (const team of order) expect((await ask(inTeam(team))).code).toBe('forbidden');
      expect((await ask(inTeam('team_c'))).code).toBe('permitted');
    }
  });

  test.each([
    ['#3117: a separator inside of an id', 'a","b', 'a'],
    ['#3097: an id that ends where another begins', 'usr_1,document', 'usr_1'],
    ['#3148: an id that holds a quote', 'usr_"1', 'usr_1'],
  ])('%s: no two subjects share an entry', async (_bug, first, second) => {
    const { ask, state, epochs } = setUp([{}]);
    await ask({ user: first });
    const reads = state.reads;
    await ask({ user: second });
    expect(state.reads).toBe(reads + 1);
    state.bindings = [];
    epochs.advance(organizationId);
    expect((await ask({ user: first })).code).toBe('not_permitted');
  });

  test('#3117: no two organizations share an entry, whatever their ids hold', async () => {
    const { ask, state } = setUp([{}]);
    await ask({ organization: 'org_1', user: '2' });
    await ask({ organization: 'org_', user: '12' });
    await ask({ organization: 'org_1","user', user: '2' });
    expect(state.reads).toBe(3);
  });

  test('#3125: a read that was broken off is an error for whoever waited, and nothing afterwards', async () => {
    const { state, codes } = setUp([{}]);
    state.failure = new Error('canceling statement due to user request');
    expect(await codes({}, {})).toEqual(['error', 'error']);
    state.failure = undefined;
    expect(await codes({}, {})).toEqual(['permitted', 'permitted']);
  });

  test('#3155: an entry filled during a change does not survive it', async () => {
    const { state, epochs, ask } = setUp([{}]);
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const racing = ask();
    state.bindings = [];
    epochs.advance(organizationId);
    gate.resolve();
    await racing;
    expect((await ask()).code).toBe('not_permitted');
  });

  test('#3155: nor does one of a resource', async () => {
    const inTeam = { scope: { type: 'team' as const, id: 'team_a', descendants: [] } };
    const { state, epochs, ask } = setUp([inTeam]);
    state.resource = { team: 'team_a', attributes: {} };
    const gate = Promise.withResolvers<void>();
    state.gate = gate.promise;
    const racing = ask();
    state.resource = { team: 'team_b', attributes: {} };
    epochs.advance(`${organizationId}/resources`);
    gate.resolve();
    await racing;
    expect((await ask()).code).toBe('not_permitted');
  });
});

describe('questions at the same time', () => {
  test('CVE-2026-34972: the same item twice, and items that only their attributes tell apart', async () => {
    const { codes } = setUp([ofDepartment]);
    const subject = { type: 'user', id: 'usr_1', properties: { department: 'a,b' } };
    const item = (department: unknown) => ({
      subject,
      resource: { type: 'document', id: '42', properties: { department } },
    });
    expect(
      await codes(
        item('a,b'),
        item(['a', 'b']),
        item('a,b'),
        item('a'),
        item({ 0: 'a', 1: 'b' }),
        item('a,b'),
      ),
    ).toEqual(['permitted', 'not_permitted', 'permitted', 'not_permitted', 'not_permitted', 'permitted']);
  });

  test('CVE-2026-55866: a conditional grant never passes for an unconditional one beside it', async () => {
    const { codes } = setUp([office, { permissions: ['document:write'] }]);
    const mixed = Array.from({ length: 40 }, (_, place) => [
      from(place % 2 === 0 ? '10.0.0.1' : '11.0.0.1'),
      { action: { name: 'write' } },
      {},
    ]).flat();
    const answers = await codes(...mixed);
    expect(answers).toEqual(
      Array.from({ length: 40 }, (_, place) => [
        place % 2 === 0 ? 'permitted' : 'not_permitted',
        'permitted',
        'not_permitted',
      ]).flat(),
    );
  });
});

describe('grants that meet', () => {
  test('CVE-2026-24851: a wildcard and a direct one, in any order of their ids', async () => {
    const wildcard = { permissions: ['*:*'], scope: { type: 'resource' as const, id: 'document:41' } };
    const direct = {
      permissions: ['document:read'],
      scope: { type: 'resource' as const, id: 'document:42' },
    };
    const resource = (id: string) => ({ resource: { type: 'document', id } });
    for (const order of [
      [wildcard, direct],
      [direct, wildcard],
    ]) {
      const { codes } = setUp(order);
      expect(await codes(resource('41'), resource('42'), resource('43'))).toEqual([
        'permitted',
        'permitted',
        'not_permitted',
      ]);
      const write = { action: { name: 'write' } };
      expect(await codes({ ...write, ...resource('41') }, { ...write, ...resource('42') })).toEqual([
        'permitted',
        'not_permitted',
      ]);
    }
  });

  test('CVE-2025-49011: one whose condition fails takes nothing from one whose condition holds', async () => {
    const elsewhere = { conditions: [{ network: { cidrs: ['192.168.0.0/16'] } }] };
    const asked = from('10.0.0.1');
    for (const order of [
      [office, elsewhere],
      [elsewhere, office],
      [elsewhere, {}],
      [{ conditions: [{ mfa: {} }] }, office],
    ]) {
      expect(await setUp(order).codes(asked)).toEqual(['permitted']);
    }
  });
});

// Not a bug of theirs but their lesson (Zanzibar's new enemy): old facts of the one beside new facts of the other.
test('a subject remembered from before it lost a right does not meet a resource of after', async () => {
  const revision = (data: number, subjects: number, resources: number) => ({ data, subjects, resources });
  const inTeam = toBinding({ scope: { type: 'team', id: 'team_a', descendants: [] } }, 0);
  const base = {
    organization: { id: organizationId, status: 'active' as const },
    resourceTypes: ['document'],
  };
  const subject = { known: true, status: 'active' as const, teams: [] };
  const before = { ...base, subject, bindings: [inTeam], resource: null, revision: revision(1, 1, 0) };
  const after = {
    ...base,
    subject,
    bindings: [],
    resource: { team: 'team_a', attributes: {} },
    revision: revision(3, 2, 3),
  };
  let now: SubjectFacts = before;
  // News of neither change has arrived yet.
  const feed = { epochOf: () => 0, isLive: () => true };
  const facts = cacheSubjectFacts({ source: { find: async () => now }, feed, clock });
  const resource = { type: 'document', id: '42' };
  await facts.find(organizationId, { type: 'user', id: 'usr_1' });
  now = after;
  await facts.find(organizationId, { type: 'user', id: 'usr_2' }, { resource });
  expect(await facts.find(organizationId, { type: 'user', id: 'usr_1' }, { resource })).toEqual(after);
});
