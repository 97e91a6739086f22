import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { unknownSubjectFacts } from '../../shared/authorization/index.ts';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { withOrg } from '../../shared/db/index.ts';
import {
  type AuthorizeInstance,
  type AuthorizeWorld,
  askAuthorize,
  createAuthorizeWorld,
  question,
  startAuthorizeInstance,
  waitUntil,
} from '../support/authorize-instance.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

let world: AuthorizeWorld;
let instance: AuthorizeInstance;

beforeAll(async () => {
  world = await createAuthorizeWorld();
  instance = await startAuthorizeInstance(world);
});
afterAll(async () => {
  await instance.close();
  await world[Symbol.asyncDispose]();
});

const seed = () =>
  seedOrganization(world.pool, {
    users: ['alice', 'bob', 'eve'],
    serviceAccounts: ['gateway', 'ci'],
    teams: { core: { members: ['alice'] } },
    groups: { oncall: ['alice', 'ci'], readers: ['alice', 'bob'], suspects: ['bob'], empty: [] },
    roles: { reader: ['document:read'], writer: ['document:write'] },
    bindings: [
      { role: 'Developer', subject: 'gateway' },
      { role: 'writer', subject: 'oncall', at: { resource: 'document:42' } },
      { role: 'reader', subject: 'readers' },
      { role: 'reader', subject: 'suspects', effect: 'deny' },
      { role: 'reader', subject: 'empty' },
    ],
  });

const facts = () => postgresSubjectFacts(world.pool);
const namedIn = ({ idOf }: SeededOrganization, type: string, name: string) => ({ type, id: idOf(name) });

async function asker() {
  const organization = await seed();
  const token = (await world.keys.issue(organization, 'gateway')).text;
  const ask = async (type: string, name: string, action = 'read') => {
    const asked = question(namedIn(organization, type, name), { action });
    return (await askAuthorize(instance.base, asked, { token })).json.decision;
  };
  return { organization, token, ask };
}

describe('facts of a member', () => {
  it('name its groups and what each of them holds, for people and machines alike', async () => {
    const organization = await seed();
    const { organizationId, idOf, bindingIds } = organization;
    const alice = await facts().find(organizationId, namedIn(organization, 'user', 'alice'));
    expect(alice.subject).toEqual({
      known: true,
      status: 'active',
      teams: [idOf('core')],
      groups: ['oncall', 'readers'].map(idOf).sort(),
    });
    expect(alice.bindings.map(({ id }) => id)).toEqual([bindingIds[1], bindingIds[2]].sort());
    const ci = await facts().find(organizationId, namedIn(organization, 'service_account', 'ci'));
    expect(ci.subject.groups).toEqual([idOf('oncall')]);
    expect(ci.bindings).toMatchObject([
      { role: 'writer', permissions: ['document:write'], scope: { type: 'resource', id: 'document:42' } },
    ]);
  });

  it('name none for who is a member of nothing', async () => {
    const organization = await seed();
    const { subject, bindings } = await facts().find(
      organization.organizationId,
      namedIn(organization, 'user', 'eve'),
    );
    expect(subject).toEqual({ known: true, status: 'active', teams: [] });
    expect(bindings).toEqual([]);
  });

  it('come with its API keys', async () => {
    const organization = await seed();
    const issued = await world.keys.issue(organization, 'ci');
    const { subject, bindings } = await facts().find(organization.organizationId, {
      type: 'api_key',
      id: issued.key.id,
    });
    expect(subject.groups).toEqual([organization.idOf('oncall')]);
    expect(bindings).toHaveLength(1);
  });
});

describe('a group as a subject', () => {
  it('may what is bound to it, and is a member of nothing', async () => {
    const organization = await seed();
    const found = await facts().find(organization.organizationId, namedIn(organization, 'group', 'oncall'));
    expect(found.subject).toEqual({ known: true, status: 'active', teams: [] });
    expect(found.bindings.map(({ id }) => id)).toEqual([organization.bindingIds[1]]);
  });

  // Threat: an id of one type that is looked up as another.
  it.each([
    ['a group', 'user', 'oncall'],
    ['a user', 'group', 'alice'],
    ['a team', 'group', 'core'],
    ['a group', 'team', 'oncall'],
  ])('is unknown when the id of %s is called a %s', async (_, type, name) => {
    const organization = await seed();
    const found = await facts().find(organization.organizationId, namedIn(organization, type, name));
    expect(found).toMatchObject(unknownSubjectFacts(organization.organizationId));
  });

  it('is answered, and found by a search, like any other', async () => {
    const { organization, token, ask } = await asker();
    expect([await ask('group', 'readers'), await ask('group', 'suspects')]).toEqual([true, false]);
    const response = await fetch(`${instance.base}/access/v1/search/subject`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ ...question({ type: 'group', id: '' }), subject: { type: 'group' } }),
    });
    const { results } = (await response.json()) as { results: object[] };
    const permitted = ['readers', 'empty'].map((name) => namedIn(organization, 'group', name));
    expect(results).toHaveLength(2);
    expect(results).toEqual(expect.arrayContaining(permitted));
  });
});

describe('a decision', () => {
  it('permits by a group, and is refused by another of the same person', async () => {
    const { ask } = await asker();
    expect([await ask('user', 'alice'), await ask('user', 'bob'), await ask('user', 'eve')]).toEqual([
      true,
      false,
      false,
    ]);
    expect([await ask('service_account', 'ci', 'write'), await ask('user', 'bob', 'write')]).toEqual([
      true,
      false,
    ]);
  });

  // Each table has triggers of its own; a missing one would keep a revoked right alive in a warm instance.
  it.each([
    ['the membership', 'delete from group_member'],
    ['the binding', "delete from role_binding where subject_type = 'group'"],
    [
      'the group',
      "delete from group_member; delete from user_group; delete from role_binding where subject_type = 'group'",
    ],
  ])('no longer permits once %s is gone, in a warm instance too', async (_, change) => {
    const { organization, ask } = await asker();
    await waitUntil(async () => (await ask('user', 'alice')) === true);
    await asOwner(organization, change);
    await waitUntil(async () => (await ask('user', 'alice')) === false);
  });

  it('forgets a removed group as a subject, and states a newer revision', async () => {
    const { organization, ask } = await asker();
    const { organizationId } = organization;
    const revision = async () =>
      (await facts().find(organizationId, { type: 'user', id: 'x' })).revision?.data ?? 0;
    expect(await ask('group', 'empty')).toBe(true);
    const before = await revision();
    await asOwner(organization, "delete from user_group where name = 'empty'");
    await waitUntil(async () => (await ask('group', 'empty')) === false);
    expect(await revision()).toBe(before + 1);
  });
});

describe('tenancy', () => {
  it('shows no group of another organization, as a subject or through a member', async () => {
    const [mine, theirs] = [await seed(), await seed()];
    for (const [type, name] of [
      ['group', 'readers'],
      ['user', 'alice'],
    ] as const) {
      expect(await facts().find(mine.organizationId, namedIn(theirs, type, name))).toMatchObject(
        unknownSubjectFacts(mine.organizationId),
      );
    }
  });

  it('lets nobody be put into a group of another organization, nor a binding of theirs reach here', async () => {
    const [mine, theirs] = [await seed(), await seed()];
    const alice = namedIn(mine, 'user', 'alice');
    const before = await facts().find(mine.organizationId, alice);
    const join = (org_id: string) =>
      withOrg(world.pool, mine.organizationId, (tx) =>
        tx
          .insertInto('group_member')
          .values({
            org_id,
            group_id: theirs.idOf('readers'),
            member_type: 'user',
            member_id: alice.id,
            managed_by: 'api',
            created_at: new Date(),
          })
          .execute(),
      );
    await expect(join(mine.organizationId)).rejects.toThrow('foreign key');
    await expect(join(theirs.organizationId)).rejects.toThrow('row-level security');
    // Even where their own organization lists somebody of ours.
    await asOwner(
      theirs,
      `insert into group_member select org_id, group_id, 'user', '${alice.id}', 'api', now() from user_group`,
    );
    expect(await facts().find(mine.organizationId, alice)).toEqual(before);
  });
});

async function asOwner(organization: SeededOrganization, statements: string): Promise<void> {
  const client = new Client({ connectionString: world.database.ownerUrl });
  await client.connect();
  await client.query(
    `begin; select set_config('uos.org_id', '${organization.organizationId}', true); ${statements}; commit`,
  );
  await client.end();
}
