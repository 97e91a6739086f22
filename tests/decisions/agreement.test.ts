import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BindingCondition,
  builtInRoles,
  type PolicyInput,
  permissions,
} from '../../shared/authorization/index.ts';
import { openEngine } from './decision-case.ts';
import { decideByModel } from './model.ts';
import { readRoleTable } from './role-table.ts';

const roles = readRoleTable();
const engine = await openEngine();

// Small alphabets, so that names meet: most random strings would only ever be refused.
const organizationIds = ['org_a', 'org_b', 'org_00000000000000000000000000'];
const organizationId = fc.oneof(
  { weight: 4, arbitrary: fc.constant('org_a') },
  fc.constantFrom(...organizationIds),
);
const team = fc.constantFrom('team_a', 'team_b', 'team_c');
const type = fc.constantFrom(
  'document',
  'organization',
  'team',
  'api_key',
  'signing_key',
  'data_key',
  'audit',
);
const action = fc.constantFrom('read', 'create', 'list', 'issue', 'rotate', 'export', '*');
const resourceId = fc.oneof(organizationId, team, fc.constantFrom('42', 'a:b', '*'));
const segment = (names: fc.Arbitrary<string>) => fc.oneof({ weight: 3, arbitrary: names }, fc.constant('*'));
const permission = fc.tuple(segment(type), segment(action)).map((segments) => segments.join(':'));
const second = fc.integer({ min: 990, max: 1010 });

const scope = fc.oneof(
  fc.record({ type: fc.constant('organization' as const), id: organizationId }),
  fc.record({ type: fc.constant('team' as const), id: team, descendants: fc.array(team, { maxLength: 2 }) }),
  fc.record({
    type: fc.constant('resource' as const),
    id: fc.tuple(type, resourceId).map((parts) => parts.join(':')),
  }),
);
const optional = <T extends Record<string, fc.Arbitrary<unknown>>>(members: T) =>
  fc.record(members, { requiredKeys: [] });
const condition: fc.Arbitrary<BindingCondition> = fc.oneof(
  fc.record({
    mfa: fc.oneof(
      optional({
        level: fc.constantFrom('multi_factor' as const, 'phishing_resistant' as const),
        max_age_seconds: fc.constantFrom(0, 5, 100),
      }),
      fc.record({ acr: fc.constantFrom('0', 'phr') }),
    ),
  }),
  fc.record({
    network: fc.record({
      cidrs: fc.array(fc.constantFrom('10.0.0.0/8', '10.1.2.3/32', '0.0.0.0/0', '2001:db8::/32', '::/0'), {
        minLength: 1,
        maxLength: 2,
      }),
    }),
  }),
  // The epoch began on a Thursday; our seconds lie in its minutes 16 and 17.
  fc.record({
    time: optional({
      weekdays: fc.uniqueArray(fc.constantFrom(3, 4, 5), { minLength: 1 }),
      from_minute: fc.constantFrom(0, 16, 17, 1320),
      to_minute: fc.constantFrom(16, 17, 360, 1440),
      not_before: second,
      not_after: second,
    }),
  }),
  fc.record({
    resource: fc.record({
      attribute: fc.constantFrom('owner', 'level', 'team', 'unset'),
      equals: fc.constantFrom(
        'subject.id',
        'subject.type',
        'subject.level',
        'subject.unset',
        'usr_1',
        3,
        'team_a',
      ),
    }),
  }),
);
const binding = fc.record(
  {
    id: fc.constantFrom('bind_1', 'bind_2', 'bind_3', 'bind_4'),
    role: fc.constantFrom(...builtInRoles, 'OrgOwner', 'OrgOwner', 'custom', 'another'),
    permissions: fc.array(permission, { maxLength: 4 }),
    effect: fc.oneof({ weight: 4, arbitrary: fc.constant('allow' as const) }, fc.constant('deny' as const)),
    scope,
    expires_at: second,
    conditions: fc.array(condition, { maxLength: 2 }),
  },
  { requiredKeys: ['id', 'role', 'permissions', 'effect', 'scope'] },
);
const mostly = <T>(usual: T, rare: T) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, fc.constant(rare));
const input: fc.Arbitrary<PolicyInput> = fc.record({
  now: second,
  organization: fc.record({ id: organizationId, status: mostly('active' as const, 'suspended' as const) }),
  subject: fc.record(
    {
      type: fc.constantFrom('user', 'service_account', 'group', 'api_key'),
      id: fc.constantFrom('usr_1', 'sa_1'),
      known: mostly(true, false),
      status: mostly('active' as const, 'disabled' as const),
      teams: fc.array(team, { maxLength: 3 }),
      groups: fc.array(fc.constantFrom('group_a', 'group_b'), { maxLength: 2 }),
      acts_as: fc.constant({ type: 'service_account', id: 'sa_1' }),
      expires_at: fc.oneof({ weight: 4, arbitrary: fc.constant(5000) }, second),
      scopes: fc.array(fc.oneof(permission, fc.constantFrom('*:*', 'document:*', 'read', '', 'a:b:c')), {
        maxLength: 3,
      }),
      properties: optional({
        level: fc.constantFrom(3, '3'),
        unset: fc.constant(null),
        id: fc.constant('usr_1'),
      }),
    },
    { requiredKeys: ['type', 'id', 'known', 'status', 'teams'] },
  ),
  bindings: fc.uniqueArray(binding, { maxLength: 4, selector: ({ id }) => id }),
  action: fc.record({ name: action }),
  resource: fc.record({
    type,
    id: resourceId,
    properties: optional({
      team,
      organization: organizationId,
      owner: fc.constantFrom('usr_1', 'sa_1'),
      level: fc.constantFrom(3, 4, '3'),
      unset: fc.constant(null),
    }),
  }),
  context: fc.record(
    {
      authentication: fc.record(
        {
          amr: fc.uniqueArray(fc.constantFrom('pwd', 'otp', 'mfa')),
          acr: fc.constantFrom('0', 'https://refeds.org/profile/mfa', 'phr'),
          auth_time: fc.constantFrom(890, 995, 1000, 1005, 1080, '1000'),
        },
        { requiredKeys: [] },
      ),
      network: optional({
        ip: fc.constantFrom(
          '10.1.2.3',
          '11.0.0.1',
          '2001:db8::1',
          '::1',
          '::ffff:10.1.2.3',
          '::ffff:a01:203',
          '10.0.0.0/8',
          'here',
          7,
        ),
      }),
    },
    { requiredKeys: [] },
  ),
});

// Chance seldom lets all of a grant meet: here the first binding reaches the organization that is asked about.
const reached = input.map((question) => ({
  ...question,
  organization: { ...question.organization, id: 'org_a' },
  subject: { ...question.subject, known: true, status: 'active' as const },
  bindings: question.bindings.map((one, index) =>
    index > 0
      ? one
      : { ...one, scope: { type: 'organization' as const, id: 'org_a' }, expires_at: 2000, conditions: [] },
  ),
  resource: { ...question.resource, properties: { ...question.resource.properties, organization: 'org_a' } },
}));

// One member every grant rests on, replaced by what is not of its type; every binding would else be live.
const mangled = fc
  .tuple(input, fc.constantFrom('now', 'organization', 'subject', 'action', 'resource'), fc.jsonValue())
  .filter(([, member, value]) => member !== 'now' || typeof value !== 'number')
  .map(([question, member, value]) => ({
    ...question,
    bindings: question.bindings.map((one) => ({ ...one, expires_at: 2000 })),
    [member]: value,
  }));

describe('the compiled policy and the model', () => {
  test('agree on every question', () => {
    const seen = new Map<string, number>();
    const agrees = (question: PolicyInput) => {
      const { decision, code, rule = '', binding } = engine.evaluate(question);
      for (const name of [code, rule]) seen.set(name, (seen.get(name) ?? 0) + 1);
      expect({ decision, code, ...(binding === undefined ? {} : { binding }) }).toEqual(
        decideByModel(question, roles),
      );
    };
    fc.assert(fc.property(fc.oneof(input, reached), agrees), { numRuns: 6000 });
    // A property that never meets a rule proves nothing about it.
    for (const code of [
      'permitted',
      'forbidden',
      'not_permitted',
      'step_up_required',
      'organization_suspended',
      'outside_credential_scope',
    ]) {
      expect(seen.get(code) ?? 0, code).toBeGreaterThan(10);
    }
  });

  test('never permit what is not of the input’s shape', () => {
    const refuses = (question: unknown) => {
      // Deliberately not a PolicyInput: facts as a broken source might give them.
      const { decision, code } = engine.evaluate(question as PolicyInput);
      expect(decision, code).toBe(false);
    };
    fc.assert(fc.property(fc.jsonValue(), refuses), { numRuns: 500 });
    fc.assert(fc.property(mangled, refuses), { numRuns: 1000 });
  });
});

describe('the table of built-in roles', () => {
  test('has exactly the roles the code names', () => {
    expect(Object.keys(roles).sort()).toEqual([...builtInRoles].sort());
  });

  test('gives every permission our functions ask for to some role besides the owner', () => {
    const granted = Object.entries(roles).flatMap(([name, role]) =>
      name === 'OrgOwner' ? [] : role.permissions,
    );
    for (const asked of permissions) {
      const [wanted] = asked.split(':');
      expect(
        granted.some((one) => one === asked || one === `${wanted}:*`),
        asked,
      ).toBe(true);
    }
  });
});
