import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  builtInRoles,
  type PolicyInput,
  permissionPatternSchema,
  permissions,
} from '../../shared/authorization/index.ts';
import { openEngine } from './decision-case.ts';
import { decideByModel } from './model.ts';

const roleSchema = z.strictObject({
  description: z.string(),
  permissions: z.array(permissionPatternSchema),
  mfa: z.boolean().exactOptional(),
  platform: z.boolean().exactOptional(),
});
const rolesFile = join(import.meta.dirname, '../../policies/data/roles/data.json');
const roles = z.record(z.string(), roleSchema).parse(JSON.parse(readFileSync(rolesFile, 'utf8')));
const engine = await openEngine();

// Small alphabets, so that names meet: most random strings would only ever be refused.
const organizationIds = ['org_a', 'org_b', 'org_00000000000000000000000000'];
const organizationId = fc.oneof(
  { weight: 4, arbitrary: fc.constant('org_a') },
  fc.constantFrom(...organizationIds),
);
const team = fc.constantFrom('team_a', 'team_b', 'team_c');
const type = fc.constantFrom('document', 'organization', 'team', 'api_key', 'signing_key', 'audit');
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
const binding = fc.record(
  {
    id: fc.constantFrom('bind_1', 'bind_2', 'bind_3', 'bind_4'),
    role: fc.constantFrom(...builtInRoles, 'OrgOwner', 'OrgOwner', 'custom', 'another'),
    permissions: fc.array(permission, { maxLength: 4 }),
    effect: fc.oneof({ weight: 4, arbitrary: fc.constant('allow' as const) }, fc.constant('deny' as const)),
    scope,
    expires_at: second,
  },
  { requiredKeys: ['id', 'role', 'permissions', 'effect', 'scope'] },
);
const mostly = <T>(usual: T, rare: T) =>
  fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, fc.constant(rare));
const input: fc.Arbitrary<PolicyInput> = fc.record({
  now: second,
  organization: fc.record({ id: organizationId, status: mostly('active' as const, 'suspended' as const) }),
  subject: fc.record({
    type: fc.constantFrom('user', 'service_account'),
    id: fc.constantFrom('usr_1', 'sa_1'),
    known: mostly(true, false),
    status: mostly('active' as const, 'disabled' as const),
    teams: fc.array(team, { maxLength: 3 }),
  }),
  bindings: fc.uniqueArray(binding, { maxLength: 4, selector: ({ id }) => id }),
  action: fc.record({ name: action }),
  resource: fc.record({
    type,
    id: resourceId,
    properties: fc.record({ team, organization: organizationId }, { requiredKeys: [] }),
  }),
  context: fc.record(
    {
      authentication: fc.record(
        {
          amr: fc.uniqueArray(fc.constantFrom('pwd', 'otp', 'mfa')),
          acr: fc.constantFrom('0', 'https://refeds.org/profile/mfa'),
        },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  ),
});

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
      const { decision, code, binding } = engine.evaluate(question);
      seen.set(code, (seen.get(code) ?? 0) + 1);
      expect({ decision, code, ...(binding === undefined ? {} : { binding }) }).toEqual(
        decideByModel(question, roles),
      );
    };
    fc.assert(fc.property(input, agrees), { numRuns: 6000 });
    // A property that never meets a rule proves nothing about it.
    for (const code of [
      'permitted',
      'forbidden',
      'not_permitted',
      'step_up_required',
      'organization_suspended',
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
