import { createApiKeyText } from '../../shared/api-key/api-key-text.ts';
import { apiKeyId } from '../../shared/api-key/index.ts';
import { typeId } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { seededBytes } from './seeded.ts';

export type SeedScale = { readonly organizations: number; readonly users: number; readonly keys: number };

export const seedScales = {
  full: { organizations: 20_000, users: 200_000, keys: 500_000 },
  small: { organizations: 200, users: 2_000, keys: 5_000 },
} as const satisfies Record<string, SeedScale>;

export const seededAt = new Date('2026-01-01T00:00:00Z');
const clock = { now: () => seededAt };
const kinds = {
  org: organizationId,
  usr: typeId('usr'),
  team: typeId('team'),
  group: typeId('group'),
  sa: serviceAccountId,
  role: typeId('role'),
  bind: typeId('bind'),
  key: apiKeyId,
};

/** Bindings name whom and where by place: of a user, a team, a group or a service account within the organization. */
export type PlannedBinding = {
  readonly role: string;
  readonly subject: { readonly type: 'user' | 'team' | 'group' | 'service_account'; readonly place: number };
  readonly scope:
    | { readonly type: 'organization' }
    | { readonly type: 'team'; readonly place: number }
    | Resource;
  readonly effect: 'allow' | 'deny';
  readonly isExpired: boolean;
  /** That the subject has proven a second factor; that it owns the resource. */
  readonly condition?: 'mfa' | 'owner';
};
type Resource = { readonly type: 'resource'; readonly id: string };

/** Everything of one organization, by arithmetic alone: whoever asks about it needs no look into the database. */
export type OrganizationPlan = {
  readonly place: number;
  readonly users: number;
  readonly keys: number;
  readonly serviceAccounts: number;
  /** The place of each team's parent; undefined for the root. */
  readonly parents: readonly (number | undefined)[];
  readonly roles: Readonly<Record<string, readonly string[]>>;
  readonly bindings: readonly PlannedBinding[];
};

const usersPerTeam = 12;
const childrenPerTeam = 4;
const keysPerAccount = 6;
/** How fast sizes fall from the largest organization on (Zipf): the first of 20 000 has some 5 000 users, half have 3. */
const skew = 0.8;

export function planOrganizations(scale: SeedScale): OrganizationPlan[] {
  const users = share(scale.users, scale.organizations);
  const keys = share(scale.keys, scale.organizations);
  return users.map((count, place) => planOrganization(place, count, keys[place] ?? 1));
}

function planOrganization(place: number, users: number, keys: number): OrganizationPlan {
  const teams = Math.max(1, Math.ceil(users / usersPerTeam));
  const serviceAccounts = Math.max(1, Math.ceil(keys / keysPerAccount));
  return {
    place,
    users,
    keys,
    serviceAccounts,
    parents: Array.from({ length: teams }, (_, n) =>
      n === 0 ? undefined : Math.floor((n - 1) / childrenPerTeam),
    ),
    roles: {
      reader: ['document:read', 'document:list'],
      editor: ['document:*'],
      biller: ['invoice:read', 'invoice:list'],
      worker: ['ticket:*'],
    },
    bindings: [...planBindings(users, teams), ...planGroup(users), ...planMachine(serviceAccounts)],
  };
}

/** The gateway asks, the first user owns, teams read everywhere or edit what is theirs, one user is denied a secret. */
function planBindings(users: number, teams: number): PlannedBinding[] {
  const whole = { type: 'organization' } as const;
  const allow = { effect: 'allow', isExpired: false } as const;
  const bindings: PlannedBinding[] = [
    { role: 'Developer', subject: { type: 'service_account', place: 0 }, scope: whole, ...allow },
    { role: 'OrgOwner', subject: { type: 'user', place: 0 }, scope: whole, ...allow },
  ];
  for (let place = 0; place < teams; place++) {
    const subject = { type: 'team', place } as const;
    if (place % 2 === 0) bindings.push({ role: 'reader', subject, scope: whole, ...allow });
    else bindings.push({ role: 'editor', subject, scope: { type: 'team', place }, ...allow });
    if (place % 4 === 2)
      bindings.push({ role: 'editor', subject, scope: whole, effect: 'allow', isExpired: true });
    if (place % 5 === 3) bindings.push({ role: 'biller', subject, scope: whole, ...allow });
  }
  if (users > 1) {
    const scope = { type: 'resource', id: 'document:secret' } as const;
    bindings.push({
      role: 'editor',
      subject: { type: 'user', place: 1 },
      scope,
      effect: 'deny',
      isExpired: false,
    });
  }
  return bindings;
}

/** Those on duty see bills once they have proven a second factor, and work on tickets of their own. */
function planGroup(users: number): PlannedBinding[] {
  if (ownerPlaceOf({ users }) === undefined) return [];
  const rest = {
    subject: { type: 'group', place: 0 },
    scope: { type: 'organization' },
    effect: 'allow',
    isExpired: false,
  } as const;
  return [
    { role: 'biller', condition: 'mfa', ...rest },
    { role: 'worker', condition: 'owner', ...rest },
  ];
}

function planMachine(serviceAccounts: number): PlannedBinding[] {
  const subject = { type: 'service_account', place: 1 } as const;
  const scope = { type: 'team', place: 0 } as const;
  return serviceAccounts > 1 ? [{ role: 'reader', subject, scope, effect: 'allow', isExpired: false }] : [];
}

/** Every seventh user. */
export function isInGroup(user: number): boolean {
  return user % 7 === 2;
}

/** Who owns the one registered resource, `ticket:1`: the last of the group, if it has a member. */
export function ownerPlaceOf({ users }: Pick<OrganizationPlan, 'users'>): number | undefined {
  for (let user = users - 1; user >= 0; user--) if (isInGroup(user)) return user;
  return undefined;
}

/** A key of the second service account; without one, a key that is not there. */
export function machineKeyPlaceOf({ serviceAccounts, keys }: OrganizationPlan): number {
  return serviceAccounts > 1 ? 1 : keys;
}

/** Each user is in one team, every third in a second one. */
export function teamsOfUser({ parents }: OrganizationPlan, user: number): number[] {
  const own = [user % parents.length];
  if (user % 3 === 0) own.push((user * 7 + 3) % parents.length);
  return [...new Set(own)];
}

export function idOf(kind: keyof typeof kinds, organization: number, place = 0): string {
  return kinds[kind].create({ clock, random: seededBytes(`${kind} ${organization} ${place}`) });
}

/** The text of a key, which a service has only the sealed digest of. Its account is its place modulo the accounts. */
export function keyTextOf(organization: number, place: number): string {
  const id = apiKeyId.require(idOf('key', organization, place));
  return createApiKeyText(seededBytes(`secret ${organization} ${place}`), id, {
    kind: 'sa',
    environment: 'test',
  });
}

/** Parts of a total by Zipf, at least one each, that add up to it. */
function share(total: number, parts: number): number[] {
  const weights = Array.from({ length: parts }, (_, n) => (n + 1) ** -skew);
  const sum = weights.reduce((left, right) => left + right);
  const free = total - parts;
  const shares = weights.map((weight) => 1 + Math.floor((free * weight) / sum));
  let left = total - shares.reduce((one, other) => one + other);
  for (let n = 0; left > 0; n = (n + 1) % parts, left--) shares[n] = (shares[n] ?? 0) + 1;
  return shares;
}
