import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { postgresApiKeyStore } from '../../shared/api-key/api-key-store.postgres.ts';
import { type ApiKeyDeps, type IssuedApiKey, issueApiKey } from '../../shared/api-key/index.ts';
import type { BindingCondition } from '../../shared/authorization/index.ts';
import { addLocator, type DatabasePool, type OrgTransaction, withOrg } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { invariant, systemClock, systemRandom, typeId } from '../../shared/kernel/index.ts';
import { type OrganizationId, organizationId } from '../../shared/organization/index.ts';
import { postgresDataKeyStore } from '../../shared/secret/data-key-store.postgres.ts';
import { type KeyRing, openKeyRing } from '../../shared/secret/index.ts';
import { openFileKeyWrapper } from '../../shared/secret/key-wrapper.file.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';

export type SeedBinding = {
  /** Name of a built-in role, or of one in `roles`. */
  readonly role: string;
  /** Name of a user, a service account, a team or a group. */
  readonly subject: string;
  /** Absent: the whole organization. `resource` is `<type>:<id>`. */
  readonly at?: { readonly team: string } | { readonly resource: string };
  readonly effect?: 'allow' | 'deny';
  readonly expiresAt?: Date;
  readonly conditions?: readonly BindingCondition[];
};

/** An organization for tests. Users, service accounts, teams and groups share one space of names. */
export type OrganizationSeed = {
  /** For the platform's own organization; else a new id. */
  readonly organizationId?: OrganizationId;
  /** Unique in the database; random when absent. */
  readonly name?: string;
  readonly status?: 'active' | 'suspended';
  readonly users?: readonly string[];
  readonly serviceAccounts?: readonly string[];
  /** A parent stands before its children. */
  readonly teams?: Readonly<Record<string, { parent?: string; members?: readonly string[] }>>;
  /** Members by name. */
  readonly groups?: Readonly<Record<string, readonly string[]>>;
  /** Custom roles: permissions by name. */
  readonly roles?: Readonly<Record<string, readonly string[]>>;
  readonly bindings?: readonly SeedBinding[];
};

export type SeededOrganization = {
  readonly organizationId: OrganizationId;
  readonly name: string;
  /** The id of a user, service account, team or group by its name. */
  idOf(name: string): string;
  /** Ids of the bindings in the order of the seed. */
  readonly bindingIds: readonly string[];
};

const deps = { clock: systemClock, random: systemRandom };
const kinds = {
  user: typeId('usr'),
  team: typeId('team'),
  group: typeId('group'),
  role: typeId('role'),
  binding: typeId('bind'),
};

type Named = {
  readonly type: 'user' | 'team' | 'group' | 'service_account';
  readonly id: string;
};

/** Writes the rows in one transaction, as the role of the functions. No events: a test sees only its own. */
export async function seedOrganization(
  pool: DatabasePool,
  seed: OrganizationSeed = {},
): Promise<SeededOrganization> {
  const org = seed.organizationId ?? organizationId.create(deps);
  const name = seed.name ?? `org-${randomBytes(8).toString('hex')}`;
  const named = nameAll(seed);
  const bindingIds = (seed.bindings ?? []).map(() => kinds.binding.create(deps));
  await withOrg(pool, org, async (tx) => {
    const rows = toRows({ org, name, seed, named, bindingIds });
    await tx.insertInto('organization').values(rows.organization).execute();
    if (rows.users.length > 0) await tx.insertInto('membership').values(rows.users).execute();
    if (rows.teams.length > 0) await tx.insertInto('team').values(rows.teams).execute();
    await addServiceAccounts(tx, rows.serviceAccounts);
    if (rows.members.length > 0) await tx.insertInto('team_member').values(rows.members).execute();
    if (rows.groups.length > 0) await tx.insertInto('user_group').values(rows.groups).execute();
    if (rows.groupMembers.length > 0) await tx.insertInto('group_member').values(rows.groupMembers).execute();
    if (rows.roles.length > 0) await tx.insertInto('role').values(rows.roles).execute();
    if (rows.bindings.length > 0) await tx.insertInto('role_binding').values(rows.bindings).execute();
  });
  return { organizationId: org, name, idOf: (key) => find(named, key).id, bindingIds };
}

export type TestApiKeys = {
  readonly deps: ApiKeyDeps;
  /** Seals page tokens with the same wrapping key. */
  readonly pageTokens: KeyRing;
  /** For a function under test that runs as a process of its own. */
  readonly wrappingKeyFile: string;
  issue(
    organization: SeededOrganization,
    serviceAccount: string,
    options?: { expiresAt?: Date },
  ): Promise<IssuedApiKey>;
  dispose(): Promise<void>;
};

/** API keys through the real use case, with a wrapping key of its own; key rings stand on `keyPool`. */
export async function openTestApiKeys(pool: DatabasePool, keyPool = pool): Promise<TestApiKeys> {
  const directory = await mkdtemp(join(tmpdir(), 'uos-key-'));
  const wrappingKeyFile = join(directory, 'wrapping.key');
  await writeFile(wrappingKeyFile, randomBytes(32).toString('base64'), { mode: 0o600 });
  const wrapper = await openFileKeyWrapper(deps, wrappingKeyFile);
  const keyRingDeps = { ...deps, pool: keyPool, store: postgresDataKeyStore, wrapper };
  const keyDeps: ApiKeyDeps = {
    ...deps,
    pool,
    store: postgresApiKeyStore(pool),
    events: postgresEventRecorder({ ...deps, source: 'uos/test' }),
    pepper: await openKeyRing(keyRingDeps, 'api-key-pepper'),
  };
  return {
    deps: keyDeps,
    pageTokens: await openKeyRing(keyRingDeps, 'search-page'),
    wrappingKeyFile,
    issue: async (organization, serviceAccount, options) => {
      const issued = await issueApiKey(keyDeps, {
        organizationId: organization.organizationId,
        serviceAccountId: serviceAccountId.require(organization.idOf(serviceAccount)),
        actor: { type: 'system', id: 'test' },
        description: 'test',
        environment: 'test',
        ...options,
      });
      invariant(issued.ok, `no key for "${serviceAccount}"`);
      return issued.value;
    },
    dispose: () => rm(directory, { recursive: true, force: true }),
  };
}

function nameAll(seed: OrganizationSeed): ReadonlyMap<string, Named> {
  const named = new Map<string, Named>();
  const add = (name: string, thing: Named) => {
    invariant(!named.has(name), `the seed names "${name}" twice`);
    named.set(name, thing);
  };
  for (const name of seed.users ?? []) add(name, { type: 'user', id: kinds.user.create(deps) });
  for (const name of seed.serviceAccounts ?? []) {
    add(name, { type: 'service_account', id: serviceAccountId.create(deps) });
  }
  for (const name of Object.keys(seed.teams ?? {})) add(name, { type: 'team', id: kinds.team.create(deps) });
  for (const name of Object.keys(seed.groups ?? {}))
    add(name, { type: 'group', id: kinds.group.create(deps) });
  return named;
}

function find(named: ReadonlyMap<string, Named>, name: string): Named {
  const thing = named.get(name);
  invariant(thing, `the seed has no "${name}"`);
  return thing;
}

function toRows(input: {
  org: OrganizationId;
  name: string;
  seed: OrganizationSeed;
  named: ReadonlyMap<string, Named>;
  bindingIds: readonly string[];
}) {
  const { org, seed, named } = input;
  const now = deps.clock.now();
  const stamps = { created_at: now, updated_at: now };
  const managed = { managed_by: 'api' as const, ...stamps };
  const teams = Object.entries(seed.teams ?? {});
  const groups = Object.entries(seed.groups ?? {});
  const toMember = (name: string) => {
    const { type, id } = find(named, name);
    const member_type = type === 'user' ? ('user' as const) : ('service_account' as const);
    return { org_id: org, member_type, member_id: id, managed_by: 'api' as const, created_at: now };
  };
  return {
    organization: {
      org_id: org,
      name: input.name,
      display_name: input.name,
      status: seed.status ?? ('active' as const),
      ...managed,
    },
    users: (seed.users ?? []).map((name) => ({
      org_id: org,
      user_id: find(named, name).id,
      name,
      email: `${name}@example.test`,
      display_name: name,
      status: 'active' as const,
      ...managed,
    })),
    serviceAccounts: (seed.serviceAccounts ?? []).map((name) => ({
      org_id: org,
      service_account_id: find(named, name).id,
      name,
      display_name: name,
      owner_team_id: null,
      status: 'active' as const,
      ...managed,
    })),
    teams: teams.map(([name, { parent }]) => ({
      org_id: org,
      team_id: find(named, name).id,
      name,
      display_name: name,
      parent_team_id: parent === undefined ? null : find(named, parent).id,
      ...managed,
    })),
    members: teams.flatMap(([team, { members }]) =>
      (members ?? []).map((member) => ({ ...toMember(member), team_id: find(named, team).id })),
    ),
    groups: groups.map(([name]) => ({
      org_id: org,
      group_id: find(named, name).id,
      name,
      display_name: name,
      ...managed,
    })),
    groupMembers: groups.flatMap(([group, members]) =>
      members.map((member) => ({ ...toMember(member), group_id: find(named, group).id })),
    ),
    roles: Object.entries(seed.roles ?? {}).map(([name, permissions]) => ({
      org_id: org,
      role_id: kinds.role.create(deps),
      name,
      description: name,
      permissions: [...permissions],
      ...managed,
    })),
    bindings: (seed.bindings ?? []).map((binding, place) => {
      const subject = find(named, binding.subject);
      return {
        org_id: org,
        binding_id: input.bindingIds[place] ?? '',
        name: `binding-${place + 1}`,
        role_name: binding.role,
        subject_type: subject.type,
        subject_id: subject.id,
        ...toScope(org, named, binding.at),
        effect: binding.effect ?? ('allow' as const),
        expires_at: binding.expiresAt ?? null,
        conditions: JSON.stringify(binding.conditions ?? []),
        ...managed,
      };
    }),
  };
}

function toScope(org: string, named: ReadonlyMap<string, Named>, at: SeedBinding['at']) {
  if (at === undefined) return { scope_type: 'organization' as const, scope_id: org };
  if ('team' in at) return { scope_type: 'team' as const, scope_id: find(named, at.team).id };
  return { scope_type: 'resource' as const, scope_id: at.resource };
}

async function addServiceAccounts(
  tx: OrgTransaction,
  rows: ReturnType<typeof toRows>['serviceAccounts'],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.insertInto('service_account').values(rows).execute();
  for (const row of rows) await addLocator(tx, row.service_account_id, row.org_id);
}
