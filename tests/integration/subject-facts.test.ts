import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cacheSubjectFacts,
  type SubjectFactsSource,
  unknownSubjectFacts,
} from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { type OpenAuthorizationFeed, openAuthorizationFeed } from '../../shared/authorization-feed/index.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import { systemClock } from '../../shared/kernel/index.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

let database: TestDatabase;
let pool: DatabasePool;
let facts: SubjectFactsSource;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  facts = postgresSubjectFacts(pool);
});

afterAll(async () => {
  await pool.close();
  await database.drop();
});

const expiresAt = new Date('2030-01-01T00:00:00.900Z');

function seed(name?: string): Promise<SeededOrganization> {
  return seedOrganization(pool, {
    ...(name === undefined ? {} : { name }),
    users: ['alice', 'bob'],
    serviceAccounts: ['ci'],
    teams: {
      root: {},
      engineering: { parent: 'root' },
      platform: { parent: 'engineering', members: ['alice', 'ci'] },
      compilers: { parent: 'engineering' },
      sales: { members: ['bob'] },
    },
    roles: { reader: ['document:read', 'document:list'] },
    bindings: [
      { role: 'reader', subject: 'alice', at: { resource: 'document:42' }, expiresAt },
      { role: 'Developer', subject: 'engineering' },
      { role: 'no-longer-defined', subject: 'root', at: { team: 'engineering' }, effect: 'deny' },
      { role: 'Billing', subject: 'sales' },
      { role: 'Member', subject: 'compilers' },
    ],
  });
}

const user = (organization: SeededOrganization, name: string) => ({
  type: 'user',
  id: organization.idOf(name),
});

describe('facts of a subject', () => {
  it('hold its bindings, those of its teams and of every team above, with all they mean', async () => {
    const organization = await seed();
    const { organizationId, idOf, bindingIds } = organization;
    const teams = ['root', 'engineering', 'platform'].map(idOf).sort();
    expect(await facts.find(organizationId, user(organization, 'alice'))).toMatchObject({
      organization: { id: organizationId, status: 'active' },
      subject: { known: true, status: 'active', teams },
      bindings: [
        {
          id: bindingIds[0],
          role: 'reader',
          permissions: ['document:read', 'document:list'],
          effect: 'allow',
          scope: { type: 'resource', id: 'document:42' },
          expires_at: Math.floor(expiresAt.getTime() / 1000),
        },
        {
          id: bindingIds[1],
          role: 'Developer',
          permissions: [],
          effect: 'allow',
          scope: { type: 'organization', id: organizationId },
        },
        {
          id: bindingIds[2],
          role: 'no-longer-defined',
          permissions: [],
          effect: 'deny',
          scope: {
            type: 'team',
            id: idOf('engineering'),
            descendants: ['platform', 'compilers'].map(idOf).sort(),
          },
        },
      ].sort((a, b) => ((a.id ?? '') < (b.id ?? '') ? -1 : 1)),
    });
  });

  it('are the same for a service account as for a user in its place', async () => {
    const organization = await seed();
    const { organizationId, idOf } = organization;
    const found = await facts.find(organizationId, { type: 'service_account', id: idOf('ci') });
    expect(found.subject).toMatchObject({ known: true, status: 'active' });
    expect(found.bindings.map(({ role }) => role).sort()).toEqual(['Developer', 'no-longer-defined']);
  });

  it.each([
    ['another type of the same id', (id: string) => ({ type: 'service_account', id })],
    ['a team, which is no subject', (_: string, team: string) => ({ type: 'team', id: team })],
    ['a type we do not have', (id: string) => ({ type: 'robot', id })],
    ['an id that text cannot hold', () => ({ type: 'user', id: 'a\0b' })],
    ['an id with half a surrogate pair', () => ({ type: 'user', id: '\ud800' })],
    ['an id that tries to be SQL', () => ({ type: 'user', id: "' or true --" })],
  ])('are unknown for %s', async (_, subjectOf) => {
    const { organizationId, idOf } = await seed();
    const found = await facts.find(organizationId, subjectOf(idOf('alice'), idOf('platform')));
    expect(found).toMatchObject(unknownSubjectFacts(organizationId));
  });

  it('survive a team tree that was bent into a ring', async () => {
    const organization = await seed();
    const { organizationId, idOf } = organization;
    await withOrg(pool, organizationId, async (tx) => {
      await tx
        .updateTable('team')
        .set({ parent_team_id: idOf('platform') })
        .where('team_id', '=', idOf('root'))
        .execute();
    });
    const found = await facts.find(organizationId, user(organization, 'alice'));
    expect(found.subject.teams).toHaveLength(3);
  });
});

describe('tenancy', () => {
  it('never shows a subject of another organization, whatever was asked on the connection before', async () => {
    const one = openTestPool({ url: database.appUrl, applicationName: 'test', connectionsMax: 1 });
    const [mine, theirs] = [await seed(), await seed()];
    const source = postgresSubjectFacts(one);
    // More often than the five runs after which the server may change to a generic plan.
    for (let run = 0; run < 12; run++) {
      expect((await source.find(mine.organizationId, user(mine, 'alice'))).bindings).toHaveLength(3);
      expect(await source.find(mine.organizationId, user(theirs, 'alice'))).toMatchObject(
        unknownSubjectFacts(mine.organizationId),
      );
      expect((await source.find(theirs.organizationId, user(theirs, 'bob'))).bindings).toHaveLength(1);
    }
    await one.close();
  });

  it('leaves no organization set on the connection', async () => {
    const one = openTestPool({ url: database.appUrl, applicationName: 'test', connectionsMax: 1 });
    const organization = await seed();
    await postgresSubjectFacts(one).find(organization.organizationId, user(organization, 'alice'));
    const { rows } = await one.query({ text: 'select org_id from organization' });
    expect(rows).toEqual([]);
    await one.close();
  });

  it('rests on row-level security: the same statement that sets nothing sees nothing', async () => {
    const organization = await seed();
    const unset: typeof pool.query = (config) =>
      pool.query({
        text: config.text.replace("set_config('uos.org_id', $1, true)", '$1::text'),
        values: config.values ?? [],
      });
    const found = await postgresSubjectFacts({ query: unset }).find(
      organization.organizationId,
      user(organization, 'alice'),
    );
    expect(found).toEqual({ ...unknownSubjectFacts(organization.organizationId), resourceTypes: [] });
  });
});

describe('cached facts', () => {
  let feed: OpenAuthorizationFeed;
  let cached: SubjectFactsSource;

  beforeAll(async () => {
    feed = await openLiveFeed();
    cached = cacheSubjectFacts({ source: facts, feed, clock: systemClock });
  });
  afterAll(() => feed.close());

  it('are the same with the cache on and off', async () => {
    const organization = await seed();
    const subjects = [
      user(organization, 'alice'),
      user(organization, 'bob'),
      { type: 'service_account', id: organization.idOf('ci') },
      { type: 'user', id: 'nobody' },
    ];
    for (const subject of [...subjects, ...subjects]) {
      expect(await cached.find(organization.organizationId, subject)).toEqual(
        await facts.find(organization.organizationId, subject),
      );
    }
  });

  it('do not cost the database a second read', async () => {
    const organization = await seed();
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
    await waitUntil(async () => {
      reads = 0;
      await source.find(organization.organizationId, user(organization, 'alice'));
      await source.find(organization.organizationId, user(organization, 'alice'));
      return reads <= 1;
    });
  });

  // Each table a decision rests on has its trigger; a missing one would keep a revoked right alive.
  it.each([
    ['role_binding', 'delete from role_binding'],
    ['role', "update role set permissions = '{}'"],
    ['team_member', 'delete from team_member'],
    ['team', 'update team set parent_team_id = null'],
    ['membership', "update membership set status = 'disabled'"],
    ['organization', "update organization set status = 'suspended'"],
    ['the conditions of bindings', `update role_binding set conditions = '[{"mfa": {}}]'`],
    [
      'resource_type',
      `insert into resource_type select org_id, 'document', '', '{read}', 'api', now(), now() from organization`,
    ],
  ])('follow a change of %s in every warm instance', async (_, change) => {
    const organization = await seed();
    const secondFeed = await openLiveFeed();
    const second = cacheSubjectFacts({ source: facts, feed: secondFeed, clock: systemClock });
    const ask = (source: SubjectFactsSource) =>
      source.find(organization.organizationId, user(organization, 'alice'));
    const before = await ask(facts);
    expect(await ask(cached)).toEqual(before);
    expect(await ask(second)).toEqual(before);
    await asOwner(organization, change);
    const after = await ask(facts);
    expect(after).not.toEqual(before);
    for (const source of [cached, second]) {
      await waitUntil(async () => JSON.stringify(await ask(source)) === JSON.stringify(after));
    }
    await secondFeed.close();
  });

  it('are never older than a change that has arrived, however a fill races with it', async () => {
    const organization = await seed();
    const { organizationId } = organization;
    const source = cacheSubjectFacts({
      source: {
        find: async (...asked) => {
          const read = await facts.find(...asked);
          // The read is held back until the change is committed and has been heard of.
          await gate.promise;
          return read;
        },
      },
      feed,
      clock: systemClock,
    });
    let gate = Promise.withResolvers<void>();
    for (let round = 0; round < 50; round++) {
      gate = Promise.withResolvers<void>();
      const status = round % 2 === 0 ? 'disabled' : 'active';
      const racing = source.find(organizationId, user(organization, 'bob'));
      await facts.find(organizationId, user(organization, 'bob'));
      const epoch = feed.epochOf(organizationId);
      await asOwner(organization, `update membership set status = '${status}'`);
      await waitUntil(async () => feed.epochOf(organizationId) !== epoch);
      gate.resolve();
      await racing;
      expect((await source.find(organizationId, user(organization, 'bob'))).subject.status).toBe(status);
    }
  });

  it('are not believed while the feed is cut, and heal when it is back', async () => {
    const organization = await seed();
    const lame = await openLiveFeed('uos-lame-feed');
    const source = cacheSubjectFacts({ source: facts, feed: lame, clock: systemClock });
    const ask = () => source.find(organization.organizationId, user(organization, 'alice'));
    await ask();
    await asSuperuser(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'uos-lame-feed'`,
    );
    await asOwner(organization, 'delete from role_binding');
    await waitUntil(async () => (await ask()).bindings.length === 0);
    await waitUntil(async () => lame.isLive());
    expect((await ask()).bindings).toEqual([]);
    await lame.close();
  });
});

async function openLiveFeed(applicationName = 'test'): Promise<OpenAuthorizationFeed> {
  const feed = openAuthorizationFeed({ url: database.appUrl, applicationName, clock: systemClock });
  await waitUntil(async () => feed.isLive());
  return feed;
}

async function asOwner(organization: SeededOrganization, statement: string): Promise<void> {
  const client = new Client({ connectionString: database.ownerUrl });
  await client.connect();
  await client.query(
    `begin; select set_config('uos.org_id', '${organization.organizationId}', true); ${statement}; commit`,
  );
  await client.end();
}

async function asSuperuser(statement: string): Promise<void> {
  const client = new Client({ connectionString: database.superuserUrl });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** Polls; how fast a revocation must be is the bench's business. */
async function waitUntil(holds: () => Promise<boolean>): Promise<void> {
  const deadline = AbortSignal.timeout(50_000);
  while (!(await holds())) {
    deadline.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
