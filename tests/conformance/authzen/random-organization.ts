import fc from 'fast-check';
import type { BindingCondition } from '../../../shared/authorization/index.ts';
import type { OrganizationSeed, SeedBinding } from '../../support/seed-organization.ts';

/** Everything here is named; ids come when it is settled. */
export type DrawnResource = {
  readonly type: string;
  readonly id: string;
  readonly team?: string;
  readonly owner?: string;
  readonly attributes: Readonly<Record<string, unknown>>;
};

export type DrawnKey = {
  readonly owner: string;
  readonly status: 'active' | 'disabled' | 'revoked';
  /** Absent: all that its owner may; a person's key always has some. */
  readonly scopes?: readonly string[];
  readonly expiresAt?: Date;
};

export type RandomOrganization = {
  readonly seed: Required<
    Pick<OrganizationSeed, 'users' | 'serviceAccounts' | 'teams' | 'groups' | 'roles' | 'bindings'>
  >;
  readonly types: Readonly<Record<string, readonly string[]>>;
  readonly resources: readonly DrawnResource[];
  readonly keys: readonly DrawnKey[];
  /** Of the users and the robot. */
  readonly disabled: readonly string[];
  readonly robotEnds: Date | undefined;
};

/** The instant of every question: a Friday, 08:00 UTC. What is drawn of time lies about it, to the second. */
export const now = new Date('2027-01-15T08:00:00Z');
const second = now.getTime() / 1000;

export const users = ['ann', 'bea', 'cid', 'dot', 'eve'];
export const serviceAccounts = ['caller', 'robot'];
/** All but who asks, whose right to ask no random denial may take away. */
export const drawn = [...users, 'robot'];
export const teams = ['root', 'left', 'right', 'leaf'];
export const groups = ['oncall', 'everyone'];
export const resourceTypes = ['doc', 'folder'];
export const departments = ['sales', 'legal'];
export const actionNames = ['read', 'write', 'list', 'share'];
/** Some whose order differs between code units, bytes and the collations of a language. */
export const resourceIds = ['1', '10', '2', 'A', 'a', 'b', 'é', 'z', '￿', '😀', 'x:y', ' '];

const permission = fc
  .tuple(fc.constantFrom(...resourceTypes, '*'), fc.constantFrom('read', 'read', 'write', 'list', '*'))
  .map((segments) => segments.join(':'));
const permissionsOfRole = fc.array(permission, { minLength: 1, maxLength: 3 });
const place: fc.Arbitrary<SeedBinding['at']> = fc.oneof(
  { weight: 2, arbitrary: fc.constant(undefined) },
  fc.constantFrom('root', ...teams).map((team) => ({ team })),
  fc
    .tuple(fc.constantFrom(...resourceTypes), fc.constantFrom(...resourceIds))
    .map((parts) => ({ resource: parts.join(':') })),
);
/** What ends in this very second has ended. */
const instant = fc.constantFrom(-3600, 0, 1, 3600).map((after) => new Date((second + after) * 1000));
/** One in so many. */
const seldom = <T>(value: fc.Arbitrary<T>, oneIn = 4) =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const some = <T extends object>(values: { [Name in keyof T]: fc.Arbitrary<T[Name]> }) =>
  fc.record(values, { requiredKeys: [] });

/** Each kind as often as another. */
const condition: fc.Arbitrary<BindingCondition> = fc.oneof(
  fc.constantFrom<BindingCondition>(
    { mfa: {} },
    { mfa: { max_age_seconds: 300 } },
    { mfa: { level: 'phishing_resistant' } },
  ),
  fc.constantFrom<BindingCondition>(
    { network: { cidrs: ['10.0.0.0/8'] } },
    { network: { cidrs: ['10.1.2.3/32', '2001:db8::/32'] } },
  ),
  fc.constantFrom<BindingCondition>(
    { time: { weekdays: [5] } },
    { time: { weekdays: [6, 7] } },
    { time: { from_minute: 480, to_minute: 481 } },
    { time: { from_minute: 481, to_minute: 480 } },
    { time: { not_before: second } },
    { time: { not_after: second - 1 } },
  ),
  fc.constant<BindingCondition>({ resource: { attribute: 'owner', equals: 'subject.id' } }),
  fc.constantFrom<BindingCondition>(
    { resource: { attribute: 'department', equals: 'subject.department' } },
    { resource: { attribute: 'department', equals: 'sales' } },
    { resource: { attribute: 'level', equals: 3 } },
  ),
);
const binding: fc.Arbitrary<SeedBinding> = fc
  .record({
    role: fc.constantFrom('reader', 'reader', 'reader', 'first', 'second', 'OrgOwner', 'Auditor', 'gone'),
    subject: fc.constantFrom(...users, 'robot', 'robot', 'caller', 'caller', ...teams, ...groups, ...groups),
    at: place,
    effect: fc.oneof({ weight: 6, arbitrary: fc.constant('allow' as const) }, fc.constant('deny' as const)),
    expiresAt: seldom(instant),
    conditions: fc.array(condition, { maxLength: 2, size: 'max' }),
  })
  .map(({ at, effect, expiresAt, ...rest }) => ({
    ...rest,
    effect: rest.subject === 'caller' ? ('allow' as const) : effect,
    ...(at === undefined ? {} : { at }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }));
const teamTree = fc.tuple(...teams.map(() => fc.tuple(fc.nat(3), fc.subarray(drawn)))).map((places) =>
  Object.fromEntries(
    places.map(([parent, members], at) => {
      const above = teams.slice(0, at)[parent];
      return [teams[at] ?? '', { members, ...(above === undefined ? {} : { parent: above }) }];
    }),
  ),
);
const resource: fc.Arbitrary<DrawnResource> = fc
  .record({
    type: fc.constantFrom(...resourceTypes),
    id: fc.constantFrom(...resourceIds),
    team: seldom(fc.constantFrom(...teams), 2),
    owner: seldom(fc.constantFrom(...drawn), 2),
    attributes: some({ department: fc.constantFrom(...departments), level: fc.constantFrom(2, 3, '3') }),
  })
  .map(({ team, owner, ...rest }) => ({
    ...rest,
    ...(team === undefined ? {} : { team }),
    ...(owner === undefined ? {} : { owner }),
  }));
const keyScope = fc.constantFrom('doc:read', 'doc:write', 'doc:list', 'folder:*', 'folder:list', '*:*');
const key: fc.Arbitrary<DrawnKey> = fc
  .record({
    owner: fc.constantFrom(...drawn, 'robot', 'robot'),
    status: fc.constantFrom('active', 'active', 'active', 'active', 'active', 'disabled', 'revoked'),
    scopes: fc.array(keyScope, { minLength: 1, maxLength: 2 }),
    isScoped: fc.boolean(),
    expiresAt: seldom(instant),
  })
  .map(({ owner, status, scopes, isScoped, expiresAt }) => ({
    owner,
    status,
    ...(owner === 'robot' && !isScoped ? {} : { scopes }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  }));

export const randomOrganization: fc.Arbitrary<RandomOrganization> = fc.record({
  seed: fc.record({
    users: fc.constant(users),
    serviceAccounts: fc.constant(serviceAccounts),
    teams: teamTree,
    groups: fc.record({ oncall: fc.subarray(drawn), everyone: fc.subarray(drawn) }),
    roles: fc.record({
      reader: fc.constant(['doc:read', 'folder:read', 'note:read']),
      first: permissionsOfRole,
      second: permissionsOfRole,
    }),
    bindings: fc
      .array(binding, { minLength: 8, maxLength: 20, size: 'max' })
      .map((others): SeedBinding[] => [{ role: 'asker', subject: 'caller' }, ...others]),
  }),
  types: fc.record({ doc: fc.subarray(['read', 'write', 'share']), folder: fc.subarray(['list', 'empty']) }),
  resources: fc.uniqueArray(resource, {
    minLength: 4,
    maxLength: 16,
    size: 'max',
    selector: ({ type, id }) => `${type}:${id}`,
  }),
  keys: fc.array(key, { minLength: 3, maxLength: 4 }),
  disabled: seldom(fc.subarray(drawn, { minLength: 1, maxLength: 2 }), 2).map((names = []) => names),
  robotEnds: seldom(instant),
});
