import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyPlanToState } from './apply-plan-to-state.ts';
import {
  canonicalOrganization,
  type DeclaredOrganization,
  hashOrganization,
} from './canonical-organization.ts';
import type { DeclaredDocument } from './document-schema.ts';
import { type ManagedEntity, type OrganizationState, toEntityKey } from './entity.ts';
import { parseOrganization } from './parse-organization.ts';
import { type Plan, planOrganization } from './plan-organization.ts';

const commit = 'c'.repeat(40);
const apiVersion = 'directory.uos.dev/v1';
const empty: OrganizationState = { slug: 'acme', entities: [] };

type Guards = { maxRemovalPercent?: number; removalsAlwaysAllowed?: number };

function organization(guards: Guards = {}): DeclaredDocument {
  const defaults = { maxRemovalPercent: 25, removalsAlwaysAllowed: 5, minOwners: 0 };
  const spec = { displayName: 'Acme', guards: { ...defaults, ...guards } };
  return { apiVersion, kind: 'Organization', metadata: { name: 'acme' }, spec };
}
function user(name: string): DeclaredDocument {
  return {
    apiVersion,
    kind: 'User',
    metadata: { name },
    spec: { email: `${name}@example.org`, displayName: name },
  };
}
function team(
  name: string,
  options: { parent?: string; members?: `user/${string}`[] } = {},
): DeclaredDocument {
  return {
    apiVersion,
    kind: 'Team',
    metadata: { name },
    spec: { displayName: name, members: [], ...options },
  };
}
function group(name: string, ...members: `user/${string}`[]): DeclaredDocument {
  return { apiVersion, kind: 'Group', metadata: { name }, spec: { displayName: name, members } };
}
function role(name: string, ...permissions: string[]): DeclaredDocument {
  return { apiVersion, kind: 'Role', metadata: { name }, spec: { description: name, permissions } };
}
function binding(
  name: string,
  roleName: string,
  subject: `user/${string}` | `team/${string}` | `group/${string}`,
): DeclaredDocument {
  return {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name },
    spec: { role: roleName, subject, effect: 'allow', conditions: [] },
  };
}

function declare(...documents: DeclaredDocument[]): DeclaredOrganization {
  return canonicalOrganization('acme', documents);
}
function plan(
  current: OrganizationState,
  declared: DeclaredOrganization | null,
  removalsConfirmed = false,
): Plan {
  const planned = planOrganization({ current, declared, commit, removalsConfirmed });
  if (!planned.ok) throw new Error(planned.failure.code);
  return planned.value;
}
function stateOf(...documents: DeclaredDocument[]): OrganizationState {
  return applyPlanToState(empty, plan(empty, declare(...documents)));
}
function withApi(state: OrganizationState, ...made: ManagedEntity[]): OrganizationState {
  return { ...state, entities: [...state.entities, ...made] };
}
function steps({ changes }: Plan): string[] {
  return changes.map(({ operation, entity }) => `${operation} ${toEntityKey(entity)}`);
}

describe('a plan', () => {
  test('creates what is referred to before what refers to it, parents first', () => {
    const declared = declare(
      organization(),
      binding('b', 'reporter', 'team/a'),
      team('a', { parent: 'z', members: ['user/ada'] }),
      team('z'),
      role('reporter', 'report:read'),
      binding('c', 'reporter', 'group/g'),
      group('g', 'user/ada'),
      user('ada'),
    );
    expect(steps(plan(empty, declared))).toEqual([
      'create organization/acme',
      'create role/reporter',
      'create user/ada',
      'create team/z',
      'create team/a',
      'create group/g',
      'create team-member/a/user/ada',
      'create group-member/g/user/ada',
      'create role-binding/b',
      'create role-binding/c',
    ]);
  });

  test('deletes last and in reverse, after what still lives has let go', () => {
    const before = stateOf(
      organization(),
      user('ada'),
      user('eve'),
      role('old', 'a:b'),
      team('top'),
      team('sub', { parent: 'top', members: ['user/ada', 'user/eve'] }),
      binding('kept', 'old', 'team/sub'),
      binding('gone', 'old', 'user/eve'),
      group('g', 'user/ada', 'user/eve'),
      group('h', 'user/ada'),
      binding('held', 'old', 'group/h'),
    );
    const declared = declare(
      organization(),
      user('ada'),
      role('new', 'a:b'),
      team('sub', { members: ['user/ada'] }),
      binding('kept', 'new', 'team/sub'),
      group('g', 'user/ada'),
    );
    const made = plan(before, declared, true);
    expect(steps(made)).toEqual([
      'create role/new',
      'update team/sub',
      'update role-binding/kept',
      'delete role-binding/held',
      'delete role-binding/gone',
      'delete group-member/h/user/ada',
      'delete group-member/g/user/eve',
      'delete team-member/sub/user/eve',
      'delete group/h',
      'delete team/top',
      'delete user/eve',
      'delete role/old',
    ]);
    expect(made.summary).toEqual({ creates: 1, updates: 2, deletes: 9 });
  });

  test('turns a changed role of a binding into one update that names the field', () => {
    const before = stateOf(organization(), user('ada'), binding('b', 'Auditor', 'user/ada'));
    const made = plan(before, declare(organization(), user('ada'), binding('b', 'OrgAdmin', 'user/ada')));
    expect(made.changes).toMatchObject([
      {
        operation: 'update',
        fields: ['role'],
        before: { spec: { role: 'Auditor' } },
        entity: { spec: { role: 'OrgAdmin' } },
      },
    ]);
  });

  test('swaps parent and child without ever making a cycle', () => {
    const before = stateOf(organization(), team('a'), team('b', { parent: 'a' }));
    const made = plan(before, declare(organization(), team('a', { parent: 'b' }), team('b')));
    expect(steps(made)).toEqual(['update team/b', 'update team/a']);
  });

  test('has a hash of its own for each commit, declaration and starting point', () => {
    const declared = declare(organization(), user('ada'));
    const base = { current: empty, declared, commit };
    const inputs = [
      base,
      { ...base, commit: 'd'.repeat(40) },
      { ...base, declared: declare(organization(), user('eve')) },
      { ...base, current: stateOf(organization()) },
    ];
    const hashes = [...inputs, structuredClone(base)].map((input) => {
      const planned = planOrganization(input);
      return planned.ok ? planned.value.hash : planned.failure.code;
    });
    expect(new Set(hashes).size).toBe(inputs.length);
    expect(hashes.at(-1)).toBe(hashes[0]);
  });
});

describe('what the API made', () => {
  const bot: ManagedEntity = {
    kind: 'service-account',
    name: 'bot',
    spec: { displayName: 'Bot', ownerTeam: 'core', labels: {}, expiresAt: null },
    managedBy: 'api',
  };
  const grant: ManagedEntity = {
    kind: 'role-binding',
    name: 'by-hand',
    spec: {
      role: 'Auditor',
      subject: 'user/eve',
      scope: null,
      effect: 'allow',
      expiresAt: null,
      conditions: [],
    },
    managedBy: 'api',
  };
  const base = [organization(), user('ada')] as const;

  test('stays although Git does not declare it', () => {
    const state = withApi(stateOf(...base, team('core')), bot);
    expect(plan(state, declare(...base, team('core'))).changes).toEqual([]);
  });

  test('becomes managed by Git when Git declares it', () => {
    const state = withApi(stateOf(...base, team('core')), bot);
    const declared = declare(...base, team('core'), {
      apiVersion,
      kind: 'ServiceAccount',
      metadata: { name: 'bot' },
      spec: { displayName: 'Bot', ownerTeam: 'core', labels: {} },
    });
    expect(plan(state, declared).changes).toMatchObject([
      { operation: 'update', fields: ['managedBy'], entity: { managedBy: 'git' } },
    ]);
  });

  test('loses its grants with their subject, and lets go of a removed team', () => {
    const state = withApi(stateOf(...base, user('eve'), team('core')), bot, grant);
    const made = plan(state, declare(...base));
    expect(made.changes).toMatchObject([
      {
        operation: 'update',
        entity: { name: 'bot', spec: { ownerTeam: null }, managedBy: 'api' },
        reason: 'reference_removed',
      },
      { operation: 'delete', entity: { name: 'by-hand' }, reason: 'reference_removed' },
      { operation: 'delete', entity: { name: 'core' }, reason: 'declared' },
      { operation: 'delete', entity: { name: 'eve' }, reason: 'declared' },
    ]);
    expect(plan(applyPlanToState(state, made), declare(...base)).changes).toEqual([]);
  });
});

test('a grant that the API gave to a group is lost with it, and so is a membership with the member', () => {
  const base = [organization(), user('ada')] as const;
  const grant: ManagedEntity = {
    kind: 'role-binding',
    name: 'by-hand',
    spec: {
      role: 'Auditor',
      subject: 'group/g',
      scope: null,
      effect: 'allow',
      expiresAt: null,
      conditions: [],
    },
    managedBy: 'api',
  };
  const member: ManagedEntity = {
    kind: 'group-member',
    name: 'h/user/eve',
    spec: { group: 'h', member: 'user/eve' },
    managedBy: 'api',
  };
  const state = withApi(stateOf(...base, user('eve'), group('g'), group('h')), grant, member);
  expect(plan(state, declare(...base, group('h'))).changes).toMatchObject([
    { operation: 'delete', entity: { name: 'by-hand' }, reason: 'reference_removed' },
    { operation: 'delete', entity: { name: 'h/user/eve' }, reason: 'reference_removed' },
    { operation: 'delete', entity: { name: 'g' }, reason: 'declared' },
    { operation: 'delete', entity: { name: 'eve' }, reason: 'declared' },
  ]);
});

describe('the removal guard', () => {
  const people = Array.from({ length: 39 }, (_, index) => user(`u${index}`));
  const state = stateOf(organization(), ...people);
  const keep = (count: number, guards?: Guards) =>
    planOrganization({
      current: state,
      declared: declare(organization(guards), ...people.slice(0, count)),
      commit,
    });

  test('lets a quarter go and not one more', () => {
    expect(keep(29)).toMatchObject({ ok: true, value: { summary: { deletes: 10 } } });
    expect(keep(28)).toEqual({
      ok: false,
      failure: {
        code: 'plan.removals_exceed_guard',
        organization: 'acme',
        removals: 11,
        allowed: 10,
        managed: 40,
      },
    });
  });

  test('lets a few go whatever their share is', () => {
    const guards = { maxRemovalPercent: 0, removalsAlwaysAllowed: 3 };
    expect(keep(36, guards).ok).toBe(true);
    expect(keep(35, guards).ok).toBe(false);
  });

  test('is raised by the commit that means it', () => {
    expect(keep(0, { maxRemovalPercent: 100 }).ok).toBe(true);
  });

  test('is not diluted by what the API made', () => {
    const bots = Array.from({ length: 500 }, (_, index): ManagedEntity => {
      const spec = { displayName: 'Bot', ownerTeam: null, labels: {}, expiresAt: null };
      return { kind: 'service-account', name: `bot${index}`, spec, managedBy: 'api' };
    });
    const declared = declare(organization(), ...people.slice(0, 28));
    expect(planOrganization({ current: withApi(state, ...bots), declared, commit }).ok).toBe(false);
  });

  test('lets a whole organization go only when that is confirmed, and then all of it', () => {
    const bot: ManagedEntity = {
      kind: 'service-account',
      name: 'bot',
      spec: { displayName: 'Bot', ownerTeam: null, labels: {}, expiresAt: null },
      managedBy: 'api',
    };
    const small = withApi(stateOf(organization(), user('ada')), bot);
    expect(planOrganization({ current: small, declared: null, commit })).toMatchObject({
      failure: { code: 'plan.removals_exceed_guard', removals: 2, allowed: 0, managed: 2 },
    });
    const confirmed = plan(small, null, true);
    expect(steps(confirmed)).toEqual([
      'delete service-account/bot',
      'delete user/ada',
      'delete organization/acme',
    ]);
    expect(applyPlanToState(small, confirmed).entities).toEqual([]);
  });
});

describe('for any declarations', () => {
  const names = ['a', 'b', 'c', 'd', 'e'] as const;
  const some = <T>(from: readonly T[]) => fc.subarray([...from]);
  const documents: fc.Arbitrary<DeclaredDocument[]> = fc
    .record({
      users: some(names),
      teams: some(names),
      groups: some(names),
      roles: some(names),
      seed: fc.array(fc.nat(99), { minLength: 64, maxLength: 64 }),
    })
    .map(({ users, teams, groups, roles, seed }) => {
      let drawn = 0;
      const draw = () => seed[drawn++ % seed.length] ?? 0;
      const pick = <T>(from: readonly T[]): T | undefined => from[draw() % Math.max(from.length, 1)];
      // A random order makes any team a possible root, so that two declarations often turn the tree around.
      const order = teams.map((name) => ({ name, key: draw() })).sort((a, b) => a.key - b.key);
      const tree = order.map(({ name }, index) => {
        const parent = draw() % 2 === 0 ? pick(order.slice(0, index))?.name : undefined;
        const members = users.filter(() => draw() % 2 === 0).map((member) => `user/${member}` as const);
        return team(name, { ...(parent === undefined ? {} : { parent }), members });
      });
      const subjects = [
        ...users.map((one) => `user/${one}` as const),
        ...teams.map((one) => `team/${one}` as const),
        ...groups.map((one) => `group/${one}` as const),
      ];
      const bindings = names.flatMap((name) => {
        const subject = draw() % 2 === 0 ? pick(subjects) : undefined;
        return subject === undefined ? [] : [binding(name, pick([...roles, 'Auditor']) ?? 'Member', subject)];
      });
      const permissions = () => (draw() % 2 === 0 ? ['x:y'] : ['x:y', 'x:z']);
      return [
        organization({ maxRemovalPercent: draw() }),
        ...users.map(user),
        ...roles.map((one) => role(one, ...permissions())),
        ...tree,
        ...groups.map((one) =>
          group(one, ...users.filter(() => draw() % 2 === 0).map((member) => `user/${member}` as const)),
        ),
        ...bindings,
      ];
    });

  test('applying the plan leaves what is declared, every step on the way refers only to what exists, and a second plan is empty', () => {
    fc.assert(
      fc.property(documents, documents, (first, second) => {
        const state = applyPlanToState(empty, plan(empty, declare(...first)));
        const declared = declare(...second);
        const after = applyPlanToState(state, plan(state, declared, true));
        expect(after.entities).toEqual(declared.entities.map((entity) => ({ ...entity, managedBy: 'git' })));
        expect(plan(after, declared).changes).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('the hash is the same however the documents are ordered and cut into files', () => {
    const cut = documents.chain((all) =>
      fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), fc.nat(all.length)),
    );
    const toFile = (path: string, part: DeclaredDocument[]) => ({
      path,
      text: part.map((one) => JSON.stringify(one)).join('\n---\n'),
    });
    fc.assert(
      fc.property(cut, ([all, shuffled, at]) => {
        const files = [toFile('b.yaml', shuffled.slice(0, at)), toFile('a.yaml', shuffled.slice(at))];
        const parsed = parseOrganization({ slug: 'acme', files });
        expect(parsed.ok && hashOrganization(parsed.value)).toBe(hashOrganization(declare(...all)));
      }),
      { numRuns: 100 },
    );
  });
});

test('a plan is refused by a state it was not made for', () => {
  const made = plan(empty, declare(organization(), user('ada')));
  const applied = applyPlanToState(empty, made);
  expect(() => applyPlanToState(applied, made)).toThrow('cannot create organization/acme');
  expect(() => applyPlanToState({ slug: 'other', entities: [] }, made)).toThrow('the plan is for "acme"');
});
