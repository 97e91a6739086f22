import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheSubjectFacts } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { type OpenAuthorizationFeed, openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import { type DatabasePool, type OrgTransaction, withOrg } from '../../shared/db/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { organizationId } from '../../shared/organization/index.ts';
import { compareRandomly } from '../decisions/compare-randomly.ts';
import {
  change,
  createOrganization,
  createPick,
  createQuestion,
  toFacts,
  type WorldOrganization,
} from '../decisions/random-world.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';

const changes = 40;
const questionsPerChange = 8;

let database: TestDatabase;
let pool: DatabasePool;
let feed: OpenAuthorizationFeed;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  feed = openAuthorizationFeed({ url: database.appUrl, applicationName: 'test', clock: systemClock });
  await waitUntil(() => feed.isLive());
});
afterAll(async () => {
  await feed.close();
  await pool.close();
  await database.drop();
});

describe('cache on, cache off and the model', () => {
  it('agree on 100,000 random questions while everything changes', { timeout: 300_000 }, () =>
    compareRandomly({ cases: 100_000, seed: 1 }),
  );
});

describe('facts as PostgreSQL gathers them, and as a cache remembers them', () => {
  it.each([1, 2, 3])(
    'are those of a plain walk through random organization %i, change by change',
    async (seed) => {
      const pick = createPick(seed);
      const id = organizationId.create({ clock: systemClock, random: systemRandom });
      const organization = createOrganization(
        pick,
        id,
        (name) => `${name.slice(0, -1)}${id}${name.slice(-1)}`,
      );
      const stored = postgresSubjectFacts(pool);
      const cached = cacheSubjectFacts({ source: stored, feed, clock: systemClock });
      for (let round = 0; round < changes; round++) {
        const epochs = epochsOf(id);
        await withOrg(pool, id, (tx) => write(tx, organization));
        await waitUntil(() => epochsOf(id).every((epoch, place) => epoch !== epochs[place]));
        for (let place = 0; place < questionsPerChange; place++) {
          const { subject, resource } = createQuestion(pick, organization);
          const demand = { resource: { type: resource.type, id: resource.id } };
          const expected = { ...toFacts(organization, subject, demand), revision: expect.anything() };
          expect(sorted(await stored.find(id, subject, demand))).toEqual(expected);
          const remembered = sorted(await cached.find(id, subject, demand));
          // Of a type that nobody registered there is nothing to look up.
          expect({ ...remembered, resource: remembered.resource ?? null }).toEqual(expected);
        }
        change(pick, organization);
      }
    },
  );
});

function epochsOf(id: string): number[] {
  return [feed.epochOf(id), feed.epochOf(`${id}/resources`)];
}

function sorted<Facts extends { readonly resourceTypes?: readonly string[] }>(facts: Facts): Facts {
  return { ...facts, resourceTypes: [...(facts.resourceTypes ?? [])].sort() };
}

const stamps = { created_at: new Date(), updated_at: new Date() };
const managed = { managed_by: 'api' as const, ...stamps };

/** The organization as it is now, over whatever was there. */
async function write(tx: OrgTransaction, world: WorldOrganization): Promise<void> {
  const org_id = world.id;
  for (const table of [
    'resource',
    'resource_type',
    'role_binding',
    'role',
    'team_member',
    'group_member',
  ] as const)
    await tx.deleteFrom(table).execute();
  for (const table of ['service_account', 'membership', 'team', 'user_group'] as const)
    await tx.deleteFrom(table).execute();
  await tx
    .insertInto('organization')
    .values({
      org_id,
      name: world.id.replaceAll('_', '-'),
      display_name: 'x',
      status: world.status,
      ...managed,
    })
    .onConflict((conflict) => conflict.column('org_id').doUpdateSet({ status: world.status }))
    .execute();
  for (const { id, parent } of world.teams)
    await tx
      .insertInto('team')
      .values({ org_id, team_id: id, name: id, display_name: id, parent_team_id: parent ?? null, ...managed })
      .execute();
  for (const { id } of world.groups)
    await tx
      .insertInto('user_group')
      .values({ org_id, group_id: id, name: id, display_name: id, ...managed })
      .execute();
  await writePeople(tx, world);
  await writeBindings(tx, world);
  for (const name of world.resourceTypes)
    await tx
      .insertInto('resource_type')
      .values({ org_id, name, description: '', actions: ['read'], ...managed })
      .execute();
  for (const [key, { team, owner, attributes }] of world.resources) {
    const [resource_type = '', resource_id = ''] = key.split(':');
    const row = { org_id, resource_type, resource_id, team_id: team ?? null, owner: owner ?? null };
    await tx
      .insertInto('resource')
      .values({ ...row, attributes: JSON.stringify(attributes), ...managed })
      .execute();
  }
}

async function writePeople(tx: OrgTransaction, world: WorldOrganization): Promise<void> {
  const org_id = world.id;
  for (const { type, id, status } of world.accounts) {
    const row = { org_id, name: id, display_name: id, status, ...managed };
    await (type === 'user'
      ? tx.insertInto('membership').values({ ...row, user_id: id, email: 'x@example.test' })
      : tx.insertInto('service_account').values({ ...row, service_account_id: id, owner_team_id: null })
    ).execute();
  }
  const toMember = (member_id: string) => ({
    org_id,
    member_type: world.accounts.find(({ id }) => id === member_id)?.type ?? ('user' as const),
    member_id,
    managed_by: 'api' as const,
    created_at: stamps.created_at,
  });
  for (const { id: team_id, members } of world.teams)
    for (const member of members)
      await tx
        .insertInto('team_member')
        .values({ ...toMember(member), team_id })
        .execute();
  for (const { id: group_id, members } of world.groups)
    for (const member of members)
      await tx
        .insertInto('group_member')
        .values({ ...toMember(member), group_id })
        .execute();
  for (const { id, account, status, expiresAt, scopes } of world.keys) {
    const changing = {
      status,
      expires_at: expiresAt === undefined ? null : new Date(expiresAt * 1000),
      scopes: scopes === undefined ? null : [...scopes],
    };
    const isPersonal = world.accounts.some((one) => one.id === account && one.type === 'user');
    await tx
      .insertInto('api_key')
      .values({
        org_id,
        key_id: id,
        service_account_id: isPersonal ? null : account,
        user_id: isPersonal ? account : null,
        secret_mac: Buffer.alloc(32),
        pepper_version: 1,
        last_four: 'abcd',
        description: '',
        created_at: stamps.created_at,
        created_by: 'test',
        revoked_at: null,
        revoked_by: null,
        ...changing,
      })
      .onConflict((conflict) => conflict.columns(['org_id', 'key_id']).doUpdateSet(changing))
      .execute();
  }
}

async function writeBindings(tx: OrgTransaction, world: WorldOrganization): Promise<void> {
  const org_id = world.id;
  for (const [name, permissions] of world.roles)
    await tx
      .insertInto('role')
      .values({ org_id, role_id: name, name, description: '', permissions: [...permissions], ...managed })
      .execute();
  for (const { id, role, subject, scope, effect, expiresAt, conditions } of world.bindings)
    await tx
      .insertInto('role_binding')
      .values({
        org_id,
        binding_id: id,
        name: id,
        role_name: role,
        subject_type: typeOf(world, subject),
        subject_id: subject,
        scope_type: scope.type,
        scope_id: scope.id,
        effect,
        expires_at: expiresAt === undefined ? null : new Date(expiresAt * 1000),
        conditions: JSON.stringify(conditions),
        ...managed,
      })
      .execute();
}

function typeOf({ accounts, groups }: WorldOrganization, subject: string) {
  const account = accounts.find(({ id }) => id === subject);
  return account?.type ?? (groups.some(({ id }) => id === subject) ? 'group' : 'team');
}

async function waitUntil(holds: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(50_000);
  while (!holds()) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
