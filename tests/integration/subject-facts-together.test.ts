import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresSubjectFacts } from '../../shared/authorization/subject-facts-store.postgres.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';
import { type SeededOrganization, seedOrganization } from '../support/seed-organization.ts';

let database: TestDatabase;
let pool: DatabasePool;
let organization: SeededOrganization;

const users = Array.from({ length: 150 }, (_, n) => `user-${n}`);

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  organization = await seedOrganization(pool, {
    users,
    serviceAccounts: ['robot'],
    teams: { root: {}, left: { parent: 'root', members: users.filter((_, n) => n % 2 === 0) } },
    roles: { reader: ['document:read'] },
    bindings: [
      { role: 'reader', subject: 'root' },
      { role: 'Auditor', subject: 'user-1' },
      { role: 'Developer', subject: 'robot' },
    ],
  });
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

function setUp() {
  const state = { statements: 0 };
  const counting: Pick<DatabasePool, 'query'> = {
    query: (config) => {
      state.statements++;
      return pool.query(config);
    },
  };
  return { state, source: postgresSubjectFacts(counting) };
}

describe('facts of subjects that are asked for together', () => {
  it('are those each would get alone, from one statement a hundred', async () => {
    const ids = [...users.map((name) => organization.idOf(name)), 'nobody', '', 'a\0b', '\ud800', "'; --"];
    const subjects = ids.map((id) => ({ type: 'user', id }));
    const { state, source } = setUp();
    const find = (subject: { type: string; id: string }) => source.find(organization.organizationId, subject);
    const together = await Promise.all([...subjects, ...subjects.slice(0, 9)].map(find));
    // Two for 153 that could be there, one for what can be in no database.
    expect(state.statements).toBe(3);
    for (const [place, subject] of subjects.entries()) expect(together[place]).toEqual(await find(subject));
    expect(together.slice(subjects.length)).toEqual(together.slice(0, 9));
    expect(together.filter(({ subject }) => subject.known)).toHaveLength(users.length + 9);
  });

  it('never mix types, resources or organizations', async () => {
    const other = await seedOrganization(pool, {
      users: ['user-0'],
      bindings: [{ role: 'OrgOwner', subject: 'user-0' }],
    });
    const { source } = setUp();
    const id = organization.idOf('user-1');
    const resource = { type: 'document', id: '1' };
    const answers = await Promise.all([
      source.find(organization.organizationId, { type: 'user', id }),
      source.find(organization.organizationId, { type: 'service_account', id }),
      source.find(organization.organizationId, { type: 'user', id }, { resource }),
      source.find(other.organizationId, { type: 'user', id }),
      source.find(other.organizationId, { type: 'user', id: other.idOf('user-0') }),
    ]);
    expect(answers.map(({ subject }) => subject.known)).toEqual([true, false, true, false, true]);
    expect(answers.map((facts) => facts.bindings.map(({ role }) => role))).toEqual([
      ['Auditor'],
      [],
      ['Auditor'],
      [],
      ['OrgOwner'],
    ]);
  });

  it('fail together, and are asked anew by the next', async () => {
    let isDown = true;
    const flaky: Pick<DatabasePool, 'query'> = {
      query: (config) => (isDown ? Promise.reject(new Error('down')) : pool.query(config)),
    };
    const source = postgresSubjectFacts(flaky);
    const find = (name: string) =>
      source.find(organization.organizationId, { type: 'user', id: organization.idOf(name) });
    const outcomes = await Promise.allSettled([find('user-1'), find('user-2')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    isDown = false;
    expect((await find('user-1')).subject.known).toBe(true);
  });
});

describe('the tree of teams', () => {
  it('is told once for each state of it, to whoever asks about its members', async () => {
    const { organizationId, idOf } = await seedOrganization(pool, {
      users: ['ann', 'ben'],
      teams: { root: { members: ['ann', 'ben'] }, left: { parent: 'root' }, right: { parent: 'root' } },
      bindings: [{ role: 'Developer', subject: 'root', at: { team: 'root' } }],
    });
    const state = { trees: 0 };
    const source = postgresSubjectFacts({
      query: async (config) => {
        const answer = await pool.query<never>(config);
        state.trees += answer.rows.filter(({ tree }) => tree !== null).length;
        return answer;
      },
    });
    const below = async (name: string) => {
      const found = await source.find(organizationId, { type: 'user', id: idOf(name) });
      const scope = found.bindings[0]?.scope;
      return scope?.type === 'team' ? scope.descendants : undefined;
    };
    const both = [idOf('left'), idOf('right')].sort();
    expect(await below('ann')).toEqual(both);
    expect(await below('ben')).toBe(await below('ann'));
    expect(state.trees).toBe(1);
    await withOrg(pool, organizationId, (tx) =>
      tx.updateTable('team').set({ parent_team_id: null }).where('team_id', '=', idOf('left')).execute(),
    );
    expect(await below('ben')).toEqual([idOf('right')]);
    expect(await below('ann')).toBe(await below('ben'));
    expect(state.trees).toBe(2);
    // Whatever else changes of the organization leaves the tree as it is; teams that come and go do not.
    await withOrg(pool, organizationId, (tx) =>
      tx.updateTable('membership').set({ status: 'disabled' }).where('user_id', '=', idOf('ann')).execute(),
    );
    expect(await below('ben')).toEqual([idOf('right')]);
    expect(state.trees).toBe(2);
    await withOrg(pool, organizationId, async (tx) => {
      // One transaction counts both, whichever comes first.
      await tx
        .updateTable('membership')
        .set({ status: 'active' })
        .where('user_id', '=', idOf('ann'))
        .execute();
      await tx.deleteFrom('team').where('team_id', '=', idOf('right')).execute();
    });
    expect(await below('ben')).toEqual([]);
    expect(state.trees).toBe(3);
  });

  it('is one for all who were told it at once', async () => {
    const { organizationId, idOf } = await seedOrganization(pool, {
      users: ['ann'],
      teams: { root: { members: ['ann'] }, left: { parent: 'root' } },
      bindings: [{ role: 'Developer', subject: 'root', at: { team: 'root' } }],
    });
    const source = postgresSubjectFacts(pool);
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, n) =>
        source.find(
          organizationId,
          { type: 'user', id: idOf('ann') },
          { resource: { type: 'doc', id: `${n}` } },
        ),
      ),
    );
    const lists = answers.map(({ bindings: [binding] }) =>
      binding?.scope.type === 'team' ? binding.scope.descendants : undefined,
    );
    expect(lists[0]).toEqual([idOf('left')]);
    for (const list of lists) expect(list).toBe(lists[0]);
  });

  // Threat: who declares a deep chain of teams and bindings all along it holds up everybody for seconds.
  it('is not listed again and again for one subject: beyond a bound there is no answer', async () => {
    const names = Array.from({ length: 600 }, (_, n) => `chain-${n}`);
    const { organizationId, idOf } = await seedOrganization(pool, {
      users: ['ann'],
      teams: Object.fromEntries(names.map((name, n) => [name, n === 0 ? {} : { parent: `chain-${n - 1}` }])),
      bindings: names.slice(0, 300).map((team) => ({ role: 'Developer', subject: 'ann', at: { team } })),
    });
    const source = postgresSubjectFacts(pool);
    const found = source.find(organizationId, { type: 'user', id: idOf('ann') });
    await expect(found).rejects.toThrow('more than 100000 teams');
  });
});
