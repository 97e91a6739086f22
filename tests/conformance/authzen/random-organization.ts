import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { withOrg } from '../../../shared/db/index.ts';
import { decideByModel, type RoleTable } from '../../decisions/model.ts';
import type { AuthorizeWorld } from '../../support/authorize-instance.ts';
import {
  type OrganizationSeed,
  type SeedBinding,
  type SeededOrganization,
  seedOrganization,
} from '../../support/seed-organization.ts';

type Resource = { readonly type: string; readonly id: string; readonly team?: string };

/** An organization by names, with the resources it has registered. */
export type RandomOrganization = {
  readonly seed: Required<
    Pick<OrganizationSeed, 'users' | 'serviceAccounts' | 'teams' | 'groups' | 'roles' | 'bindings'>
  >;
  readonly types: Readonly<Record<string, readonly string[]>>;
  readonly resources: readonly Resource[];
};

export type Entity = { readonly type: string; readonly id: string };

const users = ['ann', 'bea', 'cid', 'dot', 'eve'];
const serviceAccounts = ['caller', 'robot'];
/** All but who asks: no random denial may take that right away. */
const drawn = [...users, 'robot'];
const teams = ['root', 'left', 'right', 'leaf'];
const groups = ['oncall', 'everyone'];
const subjects = { user: users, service_account: serviceAccounts, group: groups };
export const resourceTypes = ['doc', 'folder'];
/** Some whose order differs between code units, bytes and the collations of a language. */
const resourceIds = ['1', '10', '2', 'A', 'a', 'b', 'é', 'z', '￿', '😀', 'x:y', ' '];

const permission = fc
  .tuple(fc.constantFrom(...resourceTypes, '*'), fc.constantFrom('read', 'write', 'list', '*'))
  .map((segments) => segments.join(':'));
const place: fc.Arbitrary<SeedBinding['at']> = fc.oneof(
  fc.constant(undefined),
  fc.constantFrom(...teams).map((team) => ({ team })),
  fc
    .tuple(fc.constantFrom(...resourceTypes), fc.constantFrom(...resourceIds))
    .map((parts) => ({ resource: parts.join(':') })),
);
const binding: fc.Arbitrary<SeedBinding> = fc
  .record({
    role: fc.constantFrom('first', 'first', 'second', 'second', 'OrgOwner', 'Auditor', 'gone'),
    subject: fc.constantFrom(...drawn, ...teams, ...groups),
    at: place,
    effect: fc.oneof({ weight: 4, arbitrary: fc.constant('allow' as const) }, fc.constant('deny' as const)),
  })
  .map(({ at, ...rest }) => (at === undefined ? rest : { ...rest, at }));
const teamTree = fc.tuple(...teams.map(() => fc.tuple(fc.nat(3), fc.subarray(drawn)))).map((places) =>
  Object.fromEntries(
    places.map(([parent, members], at) => {
      const above = teams.slice(0, at)[parent];
      return [teams[at] ?? '', { members, ...(above === undefined ? {} : { parent: above }) }];
    }),
  ),
);
const resource: fc.Arbitrary<Resource> = fc
  .tuple(
    fc.constantFrom(...resourceTypes),
    fc.constantFrom(...resourceIds),
    fc.option(fc.constantFrom(...teams)),
  )
  .map(([type, id, team]) => (team === null ? { type, id } : { type, id, team }));

export const randomOrganization: fc.Arbitrary<RandomOrganization> = fc.record({
  seed: fc.record({
    users: fc.constant(users),
    serviceAccounts: fc.constant(serviceAccounts),
    teams: teamTree,
    groups: fc.record({ oncall: fc.subarray(drawn), everyone: fc.subarray(drawn) }),
    roles: fc.record({
      first: fc.array(permission, { maxLength: 3 }),
      second: fc.array(permission, { maxLength: 3 }),
    }),
    bindings: fc
      .array(binding, { minLength: 2, maxLength: 10 })
      .map((others): SeedBinding[] => [{ role: 'asker', subject: 'caller' }, ...others]),
  }),
  types: fc.record({ doc: fc.subarray(['read', 'write', 'share']), folder: fc.subarray(['list', 'empty']) }),
  resources: fc.uniqueArray(resource, { maxLength: 16, selector: ({ type, id }) => `${type}:${id}` }),
});

const fixedRoles = { asker: ['authorization:evaluate'] };

export async function settle(
  { pool }: AuthorizeWorld,
  { seed, types, resources }: RandomOrganization,
): Promise<SeededOrganization> {
  const organization = await seedOrganization(pool, { ...seed, roles: { ...seed.roles, ...fixedRoles } });
  const org_id = organization.organizationId;
  const stamps = { managed_by: 'api' as const, created_at: new Date(), updated_at: new Date() };
  await withOrg(pool, org_id, async (tx) => {
    const typeRows = Object.entries(types).map(([name, actions]) => ({
      org_id,
      name,
      description: name,
      actions: [...actions],
      ...stamps,
    }));
    await tx.insertInto('resource_type').values(typeRows).execute();
    if (resources.length === 0) return;
    const rows = resources.map(({ type, id, team }) => ({
      org_id,
      resource_type: type,
      resource_id: id,
      team_id: team === undefined ? null : organization.idOf(team),
      owner: null,
      attributes: '{}',
      ...stamps,
    }));
    await tx.insertInto('resource').values(rows).execute();
  });
  return organization;
}

const rolesFile = join(import.meta.dirname, '../../../policies/data/roles/data.json');
const builtIn: RoleTable = JSON.parse(readFileSync(rolesFile, 'utf8'));

/** Everything there is, and what the model says of each triple: what a search must equal. */
export function createModel(
  { seed, types, resources }: RandomOrganization,
  organization: SeededOrganization,
) {
  const { idOf, organizationId, bindingIds } = organization;
  const parentOf = (team: string) => seed.teams[team]?.parent;
  const above = (team: string | undefined): string[] =>
    team === undefined ? [] : [team, ...above(parentOf(team))];
  const below = (team: string): string[] =>
    Object.keys(seed.teams).filter((other) => other !== team && above(other).includes(team));
  const roles: Readonly<Record<string, readonly string[]>> = { ...seed.roles, ...fixedRoles };
  const names = new Map([...users, ...serviceAccounts, ...groups].map((name) => [idOf(name), name]));

  function toBinding({ role, at, effect = 'allow' }: SeedBinding, n: number) {
    const scope =
      at === undefined
        ? { type: 'organization' as const, id: organizationId }
        : 'team' in at
          ? { type: 'team' as const, id: idOf(at.team), descendants: below(at.team).map(idOf) }
          : { type: 'resource' as const, id: at.resource };
    return { id: bindingIds[n] ?? '', role, permissions: roles[role] ?? [], effect, scope };
  }
  /** `scopes`: of the credential that the subject acts with, or of the key of it that is asked about. */
  function permits(subject: Entity, action: string, resource: Entity, scopes?: readonly string[]): boolean {
    const name = names.get(subject.id) ?? '';
    const own = Object.entries(seed.teams).flatMap(([team, { members }]) =>
      members?.includes(name) ? above(team) : [],
    );
    const ofGroups = groups.filter((group) => seed.groups[group]?.includes(name));
    const holders = new Set([name, ...own, ...ofGroups]);
    const reaches = (binding: SeedBinding) => holders.has(binding.subject);
    const registered = resources.find(({ type, id }) => type === resource.type && id === resource.id);
    const bindings = seed.bindings.map((one, n) => ({ one, fact: toBinding(one, n) }));
    return decideByModel(
      {
        now: 0,
        organization: { id: organizationId, status: 'active' },
        subject: {
          ...subject,
          known: names.has(subject.id),
          status: 'active',
          teams: own.map(idOf),
          groups: ofGroups.map(idOf),
          ...(scopes === undefined ? {} : { scopes }),
        },
        bindings: bindings.flatMap(({ one, fact }) => (reaches(one) ? [fact] : [])),
        action: { name: action },
        resource: { ...resource, properties: registered?.team ? { team: idOf(registered.team) } : {} },
        context: {},
      },
      builtIn,
    ).decision;
  }
  const permissions = [
    ...Object.values(builtIn).flatMap((role) => role.permissions),
    ...Object.values(roles).flat(),
  ];
  return {
    permits,
    subjects: (type: keyof typeof subjects) => inOrder(subjects[type].map(idOf)),
    resources: (type: string) => inOrder(resources.flatMap((one) => (one.type === type ? [one.id] : []))),
    actions: (type: string) => {
      const named = permissions.map((one) => one.split(':')).filter(([of]) => of === type || of === '*');
      const all = [...named.map(([, action = '*']) => action), ...(types[type as keyof typeof types] ?? [])];
      return [...new Set(all.filter((action) => action !== '*'))].sort();
    },
  };
}

/** Of bytes. */
function inOrder(ids: readonly string[]): string[] {
  return [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
