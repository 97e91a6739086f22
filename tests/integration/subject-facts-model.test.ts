import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { revokeApiKey } from '../../shared/api-key/index.ts';
import {
  cacheSubjectFacts,
  type SubjectFactsSource,
  unknownSubjectFacts,
} from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { type OpenAuthorizationFeed, openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import { type DatabasePool, type OrgTransaction, withOrg } from '../../shared/db/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { registerResource, registerResourceType, updateResource } from '../../shared/resource/index.ts';
import { postgresResourceStore } from '../../shared/resource/resource-store.postgres.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import {
  openTestApiKeys,
  type SeededOrganization,
  seedOrganization,
  type TestApiKeys,
} from '../support/seed-organization.ts';

let database: TestDatabase;
let pool: DatabasePool;
let facts: SubjectFactsSource;
let apiKeys: TestApiKeys;
let feed: OpenAuthorizationFeed;
const actor = { type: 'system', id: 'test' } as const;
const document = { type: 'document', id: '42' };

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  facts = postgresSubjectFacts(pool);
  apiKeys = await openTestApiKeys(pool);
  feed = openAuthorizationFeed({ url: database.appUrl, applicationName: 'test', clock: systemClock });
  await waitUntil(async () => feed.isLive());
});
afterAll(async () => {
  await feed.close();
  await apiKeys.dispose();
  await pool.close();
  await database.drop();
});

function seed(): Promise<SeededOrganization> {
  return seedOrganization(pool, {
    users: ['alice'],
    serviceAccounts: ['ci'],
    teams: { core: { members: ['alice', 'ci'] }, other: {} },
    bindings: [{ role: 'Developer', subject: 'core' }],
  });
}

function resources() {
  return {
    pool,
    store: postgresResourceStore,
    events: postgresEventRecorder({ clock: systemClock, random: systemRandom, source: 'uos/test' }),
    clock: systemClock,
  };
}

async function register(organization: SeededOrganization, id = document.id): Promise<void> {
  const { organizationId, idOf } = organization;
  const type = { organizationId, name: 'document', description: 'Texts', actions: ['read'], actor };
  await registerResourceType(resources(), type);
  const registered = await registerResource(resources(), {
    organizationId,
    type: 'document',
    resourceId: id,
    team: idOf('core'),
    owner: idOf('alice'),
    attributes: { department: 'sales' },
    actor,
  });
  expect(registered.ok).toBe(true);
}

function inOrg(organization: SeededOrganization, work: (tx: OrgTransaction) => Promise<unknown>) {
  return withOrg(pool, organization.organizationId, work);
}

const alice = (organization: SeededOrganization) => ({ type: 'user', id: organization.idOf('alice') });

describe('facts of an API key', () => {
  it('are those of its service account, whose key it says it is', async () => {
    const organization = await seed();
    const issued = await apiKeys.issue(organization, 'ci', { expiresAt: new Date('2030-01-01T00:00:00Z') });
    const account = { type: 'service_account', id: organization.idOf('ci') };
    const own = await facts.find(organization.organizationId, account);
    const found = await facts.find(organization.organizationId, { type: 'api_key', id: issued.key.id });
    expect(found).toEqual({
      ...own,
      subject: { ...own.subject, acts_as: account, expires_at: 1_893_456_000 },
    });
  });

  it('say that it is disabled once it is revoked, in every warm instance', async () => {
    const organization = await seed();
    const { organizationId } = organization;
    const issued = await apiKeys.issue(organization, 'ci');
    const cached = cacheSubjectFacts({ source: facts, feed, clock: systemClock });
    const ask = async () =>
      (await cached.find(organizationId, { type: 'api_key', id: issued.key.id })).subject.status;
    expect(await ask()).toBe('active');
    await revokeApiKey(apiKeys.deps, { organizationId, keyId: issued.key.id, actor });
    await waitUntil(async () => (await ask()) === 'disabled');
  });

  it('are unknown in another organization', async () => {
    const [mine, theirs] = [await seed(), await seed()];
    const issued = await apiKeys.issue(theirs, 'ci');
    const found = await facts.find(mine.organizationId, { type: 'api_key', id: issued.key.id });
    expect(found).toMatchObject(unknownSubjectFacts(mine.organizationId));
  });
});

describe('facts of a resource', () => {
  it('come with those of the subject in one round trip', async () => {
    const organization = await seed();
    await register(organization);
    let queries = 0;
    const counting: typeof pool.query = (config) => {
      queries++;
      return pool.query(config);
    };
    const found = await postgresSubjectFacts({ query: counting }).find(
      organization.organizationId,
      alice(organization),
      { resource: document },
    );
    expect(queries).toBe(1);
    expect(found).toMatchObject({
      subject: { known: true },
      resourceTypes: ['document'],
      resource: {
        team: organization.idOf('core'),
        owner: organization.idOf('alice'),
        attributes: { department: 'sales' },
      },
    });
  });

  it('are null for what is not registered, and for what another organization registered', async () => {
    const [mine, theirs] = [await seed(), await seed()];
    await register(theirs);
    const ask = (id: string) =>
      facts.find(mine.organizationId, alice(mine), { resource: { type: 'document', id } });
    expect((await ask('42')).resource).toBeNull();
    expect((await ask('\0')).resource).toBeNull();
    await register(mine, '43');
    expect((await ask('42')).resource).toBeNull();
  });

  it('are cached apart from those of subjects, and follow a change', async () => {
    const organization = await seed();
    const { organizationId } = organization;
    await register(organization);
    let reads = 0;
    const source = cacheSubjectFacts({
      source: {
        find: (...asked) => {
          reads++;
          return facts.find(...asked);
        },
      },
      feed,
      clock: systemClock,
    });
    const ask = () => source.find(organizationId, alice(organization), { resource: document });
    const without = await source.find(organizationId, alice(organization));
    await waitUntil(async () => {
      reads = 0;
      await ask();
      await ask();
      return reads === 0;
    });
    await updateResource(resources(), {
      organizationId,
      type: 'document',
      resourceId: '42',
      change: { attributes: { department: 'legal' } },
      actor,
    });
    await waitUntil(async () => (await ask()).resource?.attributes['department'] === 'legal');
    // Who registers resources all day must not cost every subject its facts.
    expect(await source.find(organizationId, alice(organization))).toEqual(without);
    expect(await ask()).toEqual(
      await facts.find(organizationId, alice(organization), { resource: document }),
    );
  });

  it('lose their team when it is removed, and stay registered', async () => {
    const organization = await seed();
    await register(organization);
    await inOrg(organization, async (tx) => {
      await tx.deleteFrom('team_member').execute();
      await tx.deleteFrom('team').where('team_id', '=', organization.idOf('core')).execute();
    });
    const found = await facts.find(organization.organizationId, alice(organization), { resource: document });
    expect(found.resource).toEqual({
      owner: organization.idOf('alice'),
      attributes: { department: 'sales' },
    });
  });
});

describe('the data revision', () => {
  const revisionOf = async (organization: SeededOrganization) =>
    (await facts.find(organization.organizationId, alice(organization))).revision?.data ?? 0;

  it('grows by one with every transaction that changes facts, and with no other', async () => {
    const organization = await seed();
    const before = await revisionOf(organization);
    await inOrg(organization, async (tx) => {
      await tx.updateTable('membership').set({ status: 'disabled' }).execute();
      await tx.updateTable('role_binding').set({ effect: 'deny' }).execute();
    });
    expect(await revisionOf(organization)).toBe(before + 1);
    await inOrg(organization, (tx) => tx.selectFrom('team').select('team_id').execute());
    expect(await revisionOf(organization)).toBe(before + 1);
    const other = await seed();
    expect(await revisionOf(other)).toBe(1);
  });

  it('says which part of the facts a change was of', async () => {
    const organization = await seed();
    await register(organization);
    const read = async () => (await facts.find(organization.organizationId, alice(organization))).revision;
    expect(await read()).toEqual({ data: 3, subjects: 2, resources: 3 });
    await inOrg(organization, async (tx) => {
      await tx.updateTable('resource').set({ owner: null }).execute();
      await tx.updateTable('team').set({ display_name: 'x' }).execute();
      await tx.updateTable('resource').set({ team_id: null }).execute();
    });
    expect(await read()).toEqual({ data: 4, subjects: 4, resources: 4 });
  });

  it('is undone with the transaction', async () => {
    const organization = await seed();
    const before = await revisionOf(organization);
    const undone = inOrg(organization, async (tx) => {
      await tx.updateTable('team').set({ display_name: 'x' }).execute();
      throw new Error('undo');
    });
    await expect(undone).rejects.toThrow('undo');
    expect(await revisionOf(organization)).toBe(before);
  });

  it('counts each organization of a transaction that changes several', async () => {
    const [first, second] = [await seed(), await seed()];
    const client = new Client({ connectionString: database.ownerUrl });
    await client.connect();
    await client.query('begin');
    for (const { organizationId } of [first, second, first]) {
      await client.query(`select set_config('uos.org_id', $1, true)`, [organizationId]);
      await client.query(`update team set display_name = 'x'`);
    }
    await client.query('commit');
    await client.end();
    expect([await revisionOf(first), await revisionOf(second)]).toEqual([2, 2]);
  });

  // Writers that change the same tables in opposite orders, each long before it commits.
  it('keeps no writer of the organization waiting for another, and ends none in a deadlock', async () => {
    const organization = await seed();
    const before = await revisionOf(organization);
    const turn = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const write = (own: 0 | 1, team: string, user: boolean) =>
      inOrg(organization, async (tx) => {
        const changeTeam = () =>
          tx.updateTable('team').set({ display_name: team }).where('name', '=', team).execute();
        const changeUser = () => tx.updateTable('membership').set({ display_name: team }).execute();
        await (user ? changeUser() : changeTeam());
        turn[own].resolve();
        await turn[own === 0 ? 1 : 0].promise;
        await (user ? changeTeam() : tx.updateTable('role_binding').set({ name: 'x' }).execute());
      });
    await Promise.all([write(0, 'core', true), write(1, 'other', false)]);
    expect(await revisionOf(organization)).toBe(before + 2);
  });

  it('never repeats, however many commit at once', async () => {
    const organization = await seed();
    const before = await revisionOf(organization);
    await Promise.all(
      Array.from({ length: 24 }, (_, place) =>
        inOrg(organization, (tx) =>
          tx
            .insertInto('role')
            .values({
              org_id: organization.organizationId,
              role_id: `role_${place}`,
              name: `role-${place}`,
              description: '',
              permissions: [],
              managed_by: 'api',
              created_at: new Date(),
              updated_at: new Date(),
            })
            .execute(),
        ),
      ),
    );
    expect(await revisionOf(organization)).toBe(before + 24);
  });

  it('as a demand passes by what was remembered before it', async () => {
    const organization = await seed();
    const { organizationId } = organization;
    // A feed without news: the cache alone would go on believing what it has.
    const deaf = { epochOf: () => 0, isLive: () => true };
    const cached = cacheSubjectFacts({ source: facts, feed: deaf, clock: systemClock });
    const ask = async (minDataRevision?: number) => {
      const demand = minDataRevision === undefined ? {} : { minDataRevision };
      return (await cached.find(organizationId, alice(organization), demand)).subject.status;
    };
    expect(await ask()).toBe('active');
    await inOrg(organization, (tx) => tx.updateTable('membership').set({ status: 'disabled' }).execute());
    expect(await ask()).toBe('active');
    expect(await ask(await revisionOf(organization))).toBe('disabled');
  });
});

/** Polls; how fast a revocation must be is the bench's business. */
async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(50_000);
  while (!(await holds())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
