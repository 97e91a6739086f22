import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BindingCondition, PolicyInput } from '../../../shared/authorization/index.ts';
import { decideByModel, type RoleTable } from '../../decisions/model.ts';
import type { SeedBinding } from '../../support/seed-organization.ts';
import {
  type DrawnKey,
  groups,
  now,
  type RandomOrganization,
  serviceAccounts,
  users,
} from './random-organization.ts';
import { fixedRoles, type SettledOrganization } from './settled-organization.ts';

type Properties = Readonly<Record<string, unknown>>;
export type Entity = { readonly type: string; readonly id: string; readonly properties?: Properties };
export type SubjectType = 'user' | 'service_account' | 'group' | 'api_key';

/** One part of the rules left out: where the answer differs without it, it was this part that made it. */
export type Omission =
  | 'mfa'
  | 'network'
  | 'time'
  | 'attribute'
  | 'owner'
  | 'expiry'
  | 'status'
  | 'deny'
  | 'scopes'
  | 'group'
  | 'team'
  | 'registration'
  | 'context';

export type AskedOfModel = {
  /** Of the credential that the subject acts with, or of the key of it that is asked about. */
  readonly scopes?: readonly string[];
  readonly context?: Properties | undefined;
  readonly without?: Omission;
};

const rolesFile = join(import.meta.dirname, '../../../policies/data/roles/data.json');
const builtIn: RoleTable = JSON.parse(readFileSync(rolesFile, 'utf8'));

/** Everything there is, and what the model says of each triple: what a search must equal. */
export function createModel(organization: RandomOrganization, settled: SettledOrganization) {
  const { seed, types, resources, keys, disabled, robotEnds } = organization;
  const { idOf, organizationId, bindingIds, keyIds, gateway } = settled;
  const gatewayKey: DrawnKey = { owner: 'caller', status: 'active' };
  const above = (team: string | undefined): string[] =>
    team === undefined ? [] : [team, ...above(seed.teams[team]?.parent)];
  const below = (team: string): string[] =>
    Object.keys(seed.teams).filter((other) => other !== team && above(other).includes(team));
  const roles: Readonly<Record<string, readonly string[]>> = { ...seed.roles, ...fixedRoles };
  const typeOf = (name: string) =>
    users.includes(name) ? 'user' : groups.includes(name) ? 'group' : 'service_account';
  const names = new Map(
    [...users, ...serviceAccounts, ...groups].map((name) => [`${typeOf(name)} ${idOf(name)}`, name]),
  );
  const drawnKeys = new Map([
    ...keys.map((key, place) => [keyIds[place] ?? '', key] as const),
    [gateway.id, gatewayKey],
  ]);
  const bindings = seed.bindings.map((one, place) => ({ one, fact: toBinding(one, place) }));

  function toBinding(one: SeedBinding, place: number): PolicyInput['bindings'][number] {
    const { role, at, effect = 'allow', expiresAt, conditions = [] } = one;
    const scope =
      at === undefined
        ? { type: 'organization' as const, id: organizationId }
        : 'team' in at
          ? { type: 'team' as const, id: idOf(at.team), descendants: below(at.team).map(idOf) }
          : { type: 'resource' as const, id: at.resource };
    const ending = expiresAt === undefined ? {} : { expires_at: toSecond(expiresAt) };
    const permissions = roles[role] ?? [];
    return { id: bindingIds[place] ?? '', role, permissions, effect, scope, ...ending, conditions };
  }
  function toSubject({ type, id, properties }: Entity, { scopes, without }: AskedOfModel) {
    const key = type === 'api_key' ? drawnKeys.get(id) : undefined;
    const name = key?.owner ?? names.get(`${type} ${id}`);
    const own = Object.entries(seed.teams).flatMap(([team, { members = [] }]) =>
      name !== undefined && members.includes(name) ? above(team) : [],
    );
    const ofGroups = groups.filter((group) => seed.groups[group]?.includes(name ?? ''));
    const ends = [key?.expiresAt, name === 'robot' ? robotEnds : undefined].flatMap((end) => end ?? []);
    const isOff = disabled.includes(name ?? '') || (key !== undefined && key.status !== 'active');
    const narrowed = scopes ?? key?.scopes;
    const isJudged = without !== 'status';
    const facts: PolicyInput['subject'] = {
      type,
      id,
      known: name !== undefined,
      status: isOff && isJudged ? 'disabled' : 'active',
      teams: own.map(idOf),
      groups: ofGroups.map(idOf),
      ...(key === undefined ? {} : { acts_as: { type: typeOf(key.owner), id: idOf(key.owner) } }),
      ...(narrowed === undefined || without === 'scopes' ? {} : { scopes: narrowed }),
      ...(ends.length > 0 && isJudged ? { expires_at: Math.min(...ends.map(toSecond)) } : {}),
      ...(properties === undefined ? {} : { properties }),
    };
    return { facts, holders: new Set([name, ...own, ...(without === 'group' ? [] : ofGroups)]) };
  }
  /** The registration's word over the request's; of team and owner it alone speaks. */
  function toProperties({ type, id, properties = {} }: Entity, without: Omission | undefined): Properties {
    const registered = resources.find((one) => one.type === type && one.id === id);
    if (registered === undefined || without === 'registration') return properties;
    const { team, owner, attributes } = registered;
    const stated = Object.entries(properties).filter(([name]) => name !== 'team' && name !== 'owner');
    return {
      ...Object.fromEntries(stated),
      ...attributes,
      ...(team === undefined ? {} : { team: idOf(team) }),
      ...(owner === undefined ? {} : { owner: idOf(owner) }),
    };
  }
  function permits(subject: Entity, action: string, resource: Entity, asked: AskedOfModel = {}): boolean {
    const { without, context = {} } = asked;
    const { facts, holders } = toSubject(subject, asked);
    const held = bindings.flatMap(({ one, fact }) => (holders.has(one.subject) ? [fact] : []));
    const input: PolicyInput = {
      now: toSecond(now),
      organization: { id: organizationId, status: 'active' },
      subject: facts,
      bindings: held.flatMap((fact) => leaveOut(fact, without)),
      action: { name: action },
      resource: { type: resource.type, id: resource.id, properties: toProperties(resource, without) },
      context: without === 'context' ? {} : context,
    };
    return decideByModel(input, builtIn).decision;
  }
  const permissions = [
    ...Object.values(builtIn).flatMap((role) => role.permissions),
    ...Object.values(roles).flat(),
  ];
  const subjects: Readonly<Record<SubjectType, readonly string[]>> = {
    user: users.map(idOf),
    service_account: serviceAccounts.map(idOf),
    group: groups.map(idOf),
    api_key: [...drawnKeys.keys()],
  };
  return {
    permits,
    subjects: (type: SubjectType) => inOrder(subjects[type]),
    resources: (type: string) => inOrder(resources.flatMap((one) => (one.type === type ? [one.id] : []))),
    actions: (type: string) => {
      const named = permissions.map((one) => one.split(':')).filter(([of]) => of === type || of === '*');
      const all = [...named.map(([, action = '*']) => action), ...(types[type] ?? [])];
      return [...new Set(all.filter((action) => action !== '*'))].sort();
    },
  };
}

export type OrganizationModel = ReturnType<typeof createModel>;

type BindingFact = PolicyInput['bindings'][number];

function leaveOut(binding: BindingFact, without: Omission | undefined): BindingFact[] {
  if (without === 'deny' && binding.effect === 'deny') return [];
  if (without === 'team' && binding.scope.type === 'team') return [];
  const { expires_at, conditions = [], ...rest } = binding;
  const isEnding = expires_at !== undefined && without !== 'expiry';
  const left = conditions.filter((condition) => kindOf(condition) !== without);
  return [{ ...rest, ...(isEnding ? { expires_at } : {}), conditions: left }];
}

function kindOf(condition: BindingCondition): Omission {
  if ('mfa' in condition) return 'mfa';
  if ('network' in condition) return 'network';
  if ('time' in condition) return 'time';
  return condition.resource.attribute === 'owner' ? 'owner' : 'attribute';
}

function toSecond(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

/** Of bytes. */
function inOrder(ids: readonly string[]): string[] {
  return [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
