import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CheckedScopes, issueApiKey, issuePersonalApiKey, userId } from '../../shared/api-key/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { organizationId, platformOrganizationId } from '../../shared/organization/index.ts';
import { reconcileSource } from '../../shared/reconcile/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { canServeGit } from '../support/git-server.ts';
import { openTestApiKeys, seedOrganization, type TestApiKeys } from '../support/seed-organization.ts';
import {
  createReconcileFixture,
  type ReconcileFixture,
  type TestSource,
  toDocument,
  toOrganizationFiles,
} from './reconcile-fixture.ts';

const isServed = await canServeGit();
let fixture: ReconcileFixture;
let keys: TestApiKeys;

beforeAll(async () => {
  if (!isServed) return;
  fixture = await createReconcileFixture();
  keys = await openTestApiKeys(fixture.pool);
});
afterAll(async () => {
  await keys?.dispose();
  await fixture?.close();
});

let sources = 0;
const newSource = () => fixture.registerSource(`source-${++sources}`);

/** A source that has one organization applied, under a name of its own. */
async function newOrganization(guards: object = {}) {
  const source = await newSource();
  const name = `acme-${sources}`;
  await source.push(toOrganizationFiles(name, guards));
  const first = await fixture.reconcile(source);
  expect(first).toMatchObject({ ok: true, value: { outcome: 'finished', applied: [name], refused: [] } });
  const [row] = await fixture.query('select org_id from organization where name = $1', [name]);
  return { source, name, id: String(row?.['org_id']) };
}

async function typesOf(orgId: string): Promise<string[]> {
  const rows = await fixture.query('select type from audit_event where org_id = $1 order by event_id, type', [
    orgId,
  ]);
  return rows.map(({ type }) => String(type));
}

async function conditionsOf(source: TestSource): Promise<Record<string, Record<string, unknown>>> {
  const [row] = await fixture.query('select conditions from git_source where source_id = $1', [source.id]);
  const conditions = row?.['conditions'] as Record<string, unknown>[];
  return Object.fromEntries(conditions.map((condition) => [String(condition['type']), condition]));
}

describe.skipIf(!isServed)('a pushed declaration', () => {
  test('becomes rows that refer to each other, an event for each, and an outbox row for each event', async () => {
    const { id, source, name } = await newOrganization();
    const [organization] = await fixture.query('select * from organization where org_id = $1', [id]);
    expect(organization).toMatchObject({ name, managed_by: 'git', status: 'active' });
    expect(
      await fixture.query('select name, email, status from membership where org_id = $1 order by name', [id]),
    ).toEqual([
      { name: 'ada', email: 'ada@example.org', status: 'active' },
      { name: 'grace', email: 'grace@example.org', status: 'active' },
    ]);
    expect(
      await fixture.query(
        `select t.name, p.name as parent, array_agg(coalesce(u.name, s.name) order by coalesce(u.name, s.name)) as members
           from team t left join team p on p.team_id = t.parent_team_id
           join team_member m on m.team_id = t.team_id
           left join membership u on u.user_id = m.member_id
           left join service_account s on s.service_account_id = m.member_id
          where t.org_id = $1 group by t.name, p.name order by t.name`,
        [id],
      ),
    ).toEqual([
      { name: 'core', parent: 'engineering', members: ['ada', 'ci'] },
      { name: 'engineering', parent: null, members: ['grace'] },
    ]);
    expect(
      await fixture.query(
        `select b.name, role_name, subject_type, coalesce(u.name, t.name, s.name) as subject, scope_type,
                coalesce(w.name, scope_id) as scope, b.expires_at
           from role_binding b left join membership u on u.user_id = subject_id
           left join team t on t.team_id = subject_id left join team w on w.team_id = scope_id
           left join service_account s on s.service_account_id = subject_id
          where b.org_id = $1 order by b.name`,
        [id],
      ),
    ).toEqual([
      expect.objectContaining({ name: 'ci-develops', subject_type: 'service_account', subject: 'ci' }),
      expect.objectContaining({ name: 'owners', role_name: 'OrgOwner', subject: 'ada', scope: id }),
      {
        name: 'readers',
        role_name: 'reader',
        subject_type: 'team',
        subject: 'core',
        scope_type: 'team',
        scope: 'engineering',
        expires_at: new Date('2031-01-30T22:00:00Z'),
      },
    ]);
    expect(
      await fixture.query(
        'select l.org_id from locator l join service_account s on s.service_account_id = l.id where s.org_id = $1',
        [id],
      ),
    ).toEqual([{ org_id: id }]);
    const types = await typesOf(id);
    expect(types.toSorted()).toEqual([
      'uos.membership.created.v1',
      'uos.membership.created.v1',
      'uos.organization.created.v1',
      'uos.reconcile.applied.v1',
      'uos.role-binding.created.v1',
      'uos.role-binding.created.v1',
      'uos.role-binding.created.v1',
      'uos.role.created.v1',
      'uos.service-account.created.v1',
      'uos.team-member.added.v1',
      'uos.team-member.added.v1',
      'uos.team-member.added.v1',
      'uos.team.created.v1',
      'uos.team.created.v1',
    ]);
    const unsent = await fixture.query('select topic from outbox where org_id = $1', [id]);
    expect(unsent).toEqual(types.map(() => ({ topic: 'audit.identity' })));
    const [run] = await fixture.query('select * from reconcile_run where org_id = $1', [id]);
    expect(run).toMatchObject({ status: 'applied', source_id: source.id, name, failure: null });
    const [leaf] = await fixture.query(
      `select leaf::jsonb -> 'data' as data from audit_event where org_id = $1 and type = 'uos.reconcile.applied.v1'`,
      [id],
    );
    expect(leaf?.['data']).toMatchObject({
      actor: { type: 'git_source', id: source.id },
      commit: run?.['commit_sha'],
      planHash: run?.['plan_hash'],
      created: 13,
      updated: 0,
      removed: 0,
    });
  });

  test('changes nothing the second time, be it told, asked or forced', async () => {
    const { source, id } = await newOrganization();
    const before = await typesOf(id);
    for (const trigger of ['push', 'poll'] as const) {
      expect(await fixture.reconcile(source, trigger)).toMatchObject({ value: { outcome: 'settled' } });
    }
    expect(await fixture.reconcile(source, 'force')).toMatchObject({
      value: { outcome: 'finished', applied: [], unchanged: 1, refused: [] },
    });
    expect(await typesOf(id)).toEqual(before);
    expect(await fixture.query('select 1 from reconcile_run where org_id = $1', [id])).toHaveLength(1);
  });

  test('that lacks a binding removes that binding and nothing else', async () => {
    const { source, name, id } = await newOrganization();
    const before = await typesOf(id);
    await source.push({ [`organizations/${name}/ci.yaml`]: null });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(
      await fixture.query('select name from role_binding where org_id = $1 order by name', [id]),
    ).toEqual([{ name: 'owners' }, { name: 'readers' }]);
    expect((await typesOf(id)).toSorted()).toEqual(
      [...before, 'uos.reconcile.applied.v1', 'uos.role-binding.removed.v1'].toSorted(),
    );
  });

  test('that changes every kind of thing updates it in place, ids kept', async () => {
    const { source, name, id } = await newOrganization();
    const tables = ['membership', 'team', 'role', 'role_binding', 'service_account'];
    const keys = ['user_id', 'team_id', 'role_id', 'binding_id', 'service_account_id'];
    const idsOf = async () =>
      Promise.all(
        tables.map(async (table, place) =>
          (
            await fixture.query(`select ${keys[place]} as id from ${table} where org_id = $1 order by 1`, [
              id,
            ])
          ).map((row) => row['id']),
        ),
      );
    const before = await idsOf();
    const changed = Object.fromEntries(
      Object.entries(toOrganizationFiles(name, { minOwners: 1 })).map(([path, text]) => [
        path,
        text
          .replaceAll(/"displayName": "/g, '"displayName": "New ')
          .replace('"Reads"', '"Reads more"')
          .replace('"scope": {\n      "team": "engineering"\n    },', '"effect": "deny",'),
      ]),
    );
    await source.push(changed);
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(await idsOf()).toEqual(before);
    expect(
      await fixture.query('select display_name, guards from organization where org_id = $1', [id]),
    ).toEqual([
      {
        display_name: `New The ${name} company`,
        guards: { maxRemovalPercent: 25, minOwners: 1, removalsAlwaysAllowed: 5 },
      },
    ]);
    expect(
      await fixture.query(
        `select effect, scope_type, scope_id from role_binding where org_id = $1 and name = 'readers'`,
        [id],
      ),
    ).toEqual([{ effect: 'deny', scope_type: 'organization', scope_id: id }]);
    expect(await fixture.reconcile(source, 'force')).toMatchObject({ value: { applied: [], unchanged: 1 } });
  });

  test('that removes a service account revokes its keys for ever, and keeps its id from being given again', async () => {
    const { source, name, id } = await newOrganization();
    const [account] = await fixture.query(
      'select service_account_id from service_account where org_id = $1',
      [id],
    );
    const accountId = String(account?.['service_account_id']);
    const issued = await issueApiKey(keys.deps, {
      organizationId: organizationId.require(id),
      serviceAccountId: serviceAccountId.require(accountId),
      actor: { type: 'system', id: 'test' },
      description: 'test',
      environment: 'test',
    });
    expect(issued.ok).toBe(true);
    await source.push({
      [`organizations/${name}/ci.yaml`]: null,
      [`organizations/${name}/machines.yaml`]: null,
      [`organizations/${name}/teams.yaml`]: toDocument('Team', 'engineering', { displayName: 'Engineering' }),
      [`organizations/${name}/bindings.yaml`]: toDocument('RoleBinding', 'owners', {
        role: 'OrgOwner',
        subject: 'user/ada',
      }),
      [`organizations/${name}/organization.yaml`]: toDocument('Organization', name, {
        displayName: name,
        guards: { maxRemovalPercent: 100 },
      }),
    });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(await fixture.query('select status, revoked_by from api_key where org_id = $1', [id])).toEqual([
      { status: 'revoked', revoked_by: source.id },
    ]);
    expect(
      await fixture.query(
        'select status, deleted_name, owner_team_id from service_account where org_id = $1',
        [id],
      ),
    ).toEqual([{ status: 'deleted', deleted_name: 'ci', owner_team_id: null }]);
    expect(await fixture.query('select org_id from locator where id = $1', [accountId])).toEqual([
      { org_id: id },
    ]);
    expect(await typesOf(id)).toContain('uos.api-key.revoked.v1');
    await source.push(toOrganizationFiles(name));
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    const [again] = await fixture.query(
      `select service_account_id, status, created_by from service_account where org_id = $1 and name = 'ci'`,
      [id],
    );
    expect(again).toMatchObject({ status: 'active', created_by: source.id });
    expect(again?.['service_account_id']).not.toBe(accountId);
  });

  test('that removes a person revokes the keys of that person, and of nobody else', async () => {
    const { source, name, id } = await newOrganization();
    const people = await fixture.query(
      'select user_id, name from membership where org_id = $1 order by name',
      [id],
    );
    for (const { user_id } of people) {
      const issued = await issuePersonalApiKey(keys.deps, {
        organizationId: organizationId.require(id),
        actor: { type: 'user', id: userId.require(String(user_id)) },
        scopes: ['report:read'] as readonly string[] as CheckedScopes,
        description: 'test',
        environment: 'test',
      });
      expect(issued.ok).toBe(true);
    }
    await source.push({
      [`organizations/${name}/people.yaml`]: toDocument('User', 'ada', {
        email: 'Ada@Example.org',
        displayName: 'Ada',
      }),
      [`organizations/${name}/teams.yaml`]: [
        toDocument('Team', 'engineering', { displayName: 'Engineering' }),
        toDocument('Team', 'core', {
          displayName: 'Core',
          parent: 'engineering',
          members: ['user/ada', 'service-account/ci'],
        }),
      ].join(''),
    });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    const statuses = await fixture.query('select user_id, status from api_key where org_id = $1', [id]);
    const [ada, grace] = people.map(({ user_id }) => user_id);
    expect(new Map(statuses.map((row) => [row['user_id'], row['status']]))).toEqual(
      new Map([
        [ada, 'active'],
        [grace, 'revoked'],
      ]),
    );
    const [revocation, ...others] = await fixture.query(
      `select leaf::jsonb -> 'data' as data from audit_event where org_id = $1 and type = 'uos.api-key.revoked.v1'`,
      [id],
    );
    expect(revocation?.['data']).toMatchObject({ userId: grace, reason: 'owner_removed' });
    expect(others).toEqual([]);
  });

  test('that labels a service account and gives it an end does just that, once', async () => {
    const { source, name, id } = await newOrganization();
    const machine = { displayName: 'CI', labels: { env: 'prod' }, expiresAt: '2031-01-31T00:00:00+02:00' };
    await source.push({
      [`organizations/${name}/machines.yaml`]: toDocument('ServiceAccount', 'ci', machine),
    });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(
      await fixture.query('select labels, expires_at, owner_team_id from service_account where org_id = $1', [
        id,
      ]),
    ).toEqual([
      { labels: { env: 'prod' }, expires_at: new Date('2031-01-30T22:00:00Z'), owner_team_id: null },
    ]);
    const changes = await fixture.query(
      `select leaf::jsonb -> 'data' -> 'changes' as changes from audit_event
        where org_id = $1 and type = 'uos.service-account.updated.v1'`,
      [id],
    );
    expect(changes).toEqual([{ changes: ['ownerTeam', 'labels', 'expiresAt'] }]);
    expect(await fixture.reconcile(source, 'force')).toMatchObject({ value: { applied: [], unchanged: 1 } });
  });

  test('that does not parse is refused once with file, line and column; the last good state and the others go on', async () => {
    const { source, name, id } = await newOrganization();
    const before = await typesOf(id);
    const path = `organizations/${name}/people.yaml`;
    const commit = await source.push({
      [path]:
        'apiVersion: directory.uos.dev/v1\nkind: User\nmetadata: { name: ada }\nspec: { emial: a@b.org }\n',
      ...toOrganizationFiles(`${name}-too`),
    });
    const refused = await fixture.reconcile(source);
    expect(refused).toMatchObject({
      ok: true,
      value: {
        outcome: 'finished',
        applied: [`${name}-too`],
        refused: [{ name, refusal: { code: 'declaration.invalid' } }],
      },
    });
    const [event] = await fixture.query(
      `select leaf::jsonb -> 'data' as data from audit_event where org_id = $1 and type = 'uos.reconcile.refused.v1'`,
      [id],
    );
    expect(event?.['data']).toMatchObject({
      commit,
      name,
      faults: expect.arrayContaining([
        expect.stringMatching(new RegExp(`^${path}:4:9: .*did you mean "email"`)),
      ]),
    });
    expect(await fixture.query('select name from membership where org_id = $1 order by name', [id])).toEqual([
      { name: 'ada' },
      { name: 'grace' },
    ]);
    expect(await conditionsOf(source)).toMatchObject({
      Ready: { status: 'False', reason: 'Refused', commit, message: expect.stringContaining(`${path}:4:`) },
      Reconciling: { status: 'False' },
      Stalled: { status: 'True', commit },
    });
    await fixture.reconcile(source);
    expect(await fixture.reconcile(source, 'poll')).toMatchObject({ value: { outcome: 'settled' } });
    expect(await typesOf(id)).toEqual([...before, 'uos.reconcile.refused.v1']);
    const [row] = await fixture.query(
      'select observed_commit, applied_commit from git_source where source_id = $1',
      [source.id],
    );
    expect(row).toEqual({ observed_commit: commit, applied_commit: expect.not.stringMatching(commit) });
    const repaired = await source.push(toOrganizationFiles(name));
    expect(await fixture.reconcile(source)).toMatchObject({ value: { refused: [] } });
    expect(await conditionsOf(source)).toMatchObject({
      Ready: { status: 'True', commit: repaired },
      Stalled: { status: 'False' },
    });
  });

  test('that was never good is refused in the trail of the platform, and claims nothing', async () => {
    const source = await newSource();
    await source.push({ 'organizations/unborn/organization.yaml': 'kind: [' });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { refused: [{ name: 'unborn' }] } });
    expect(
      await fixture.query(
        `select org_id from audit_event where type = 'uos.reconcile.refused.v1' and subject = $1`,
        [source.id],
      ),
    ).toEqual([{ org_id: platformOrganizationId }]);
    expect(
      await fixture.query(`select 1 from git_source_organization where source_id = $1`, [source.id]),
    ).toEqual([]);
  });

  test('that would remove more than its guards allow removes nothing', async () => {
    const { source, name, id } = await newOrganization({ removalsAlwaysAllowed: 0, maxRemovalPercent: 10 });
    const paths = Object.keys(toOrganizationFiles(name)).filter(
      (path) => !path.includes('organization.yaml'),
    );
    await source.push(Object.fromEntries(paths.map((path) => [path, null])));
    expect(await fixture.reconcile(source)).toMatchObject({
      value: { refused: [{ name, refusal: { code: 'plan.removals_exceed_guard' } }] },
    });
    expect(await fixture.query('select 1 from role_binding where org_id = $1', [id])).toHaveLength(3);
    expect(
      await fixture.query('select status from reconcile_run where org_id = $1 order by planned_at', [id]),
    ).toEqual([{ status: 'applied' }, { status: 'refused' }]);
  });

  test('of a name that another source or the API has is refused, and theirs stays untouched', async () => {
    const { name, id } = await newOrganization();
    const seeded = await seedOrganization(fixture.pool, { name: 'made-by-api' });
    const before = await typesOf(id);
    const other = await newSource();
    await other.push({
      [`organizations/${name}/o.yaml`]: toDocument('Organization', name, { displayName: 'Mine now' }),
      'organizations/made-by-api/o.yaml': toDocument('Organization', 'made-by-api', { displayName: 'Mine' }),
      'organizations/platform/o.yaml': toDocument('Organization', 'platform', { displayName: 'All mine' }),
    });
    expect(await fixture.reconcile(other)).toMatchObject({
      value: {
        applied: [],
        refused: [
          { name, refusal: { code: 'organization.claimed_by_other_source' } },
          { name: 'made-by-api', refusal: { code: 'organization.not_declared_by_git' } },
          { name: 'platform', refusal: { code: 'organization.not_declared_by_git' } },
        ],
      },
    });
    expect(await typesOf(id)).toEqual(before);
    expect(await typesOf(seeded.organizationId)).toEqual([]);
    expect(
      await fixture.query('select name from git_source_organization where source_id = $1', [other.id]),
    ).toEqual([]);
  });

  test('takes over what the API made under the same name, and leaves what it made under another', async () => {
    const { source, name, id } = await newOrganization();
    await withOrg(fixture.pool, id, async (tx) => {
      const stamps = { created_at: new Date(), updated_at: new Date() };
      const role = {
        org_id: id,
        description: 'By hand',
        permissions: ['z:z', 'a:a'],
        managed_by: 'api' as const,
      };
      await tx
        .insertInto('role')
        .values([
          { ...role, ...stamps, role_id: 'role_00000000000000000000000001', name: 'adopted' },
          { ...role, ...stamps, role_id: 'role_00000000000000000000000002', name: 'left-alone' },
        ])
        .execute();
    });
    await source.push({
      [`organizations/${name}/adopted.yaml`]: toDocument('Role', 'adopted', {
        description: 'By hand',
        permissions: ['z:z', 'a:a'],
      }),
    });
    expect(await fixture.reconcile(source)).toMatchObject({ value: { applied: [name] } });
    expect(
      await fixture.query('select name, managed_by from role where org_id = $1 order by name', [id]),
    ).toEqual([
      { name: 'adopted', managed_by: 'git' },
      { name: 'left-alone', managed_by: 'api' },
      { name: 'reader', managed_by: 'git' },
    ]);
  });

  test('whose folder is gone leaves its organization as it is, and says so', async () => {
    const { source, name, id } = await newOrganization();
    const gone = Object.keys(toOrganizationFiles(name)).map((path) => [path, null] as const);
    await source.push({ ...Object.fromEntries(gone), ...toOrganizationFiles(`${name}-next`) });
    expect(await fixture.reconcile(source)).toMatchObject({
      value: { applied: [`${name}-next`], missing: [name], refused: [] },
    });
    expect(await fixture.query('select status from organization where org_id = $1', [id])).toEqual([
      { status: 'active' },
    ]);
    expect((await conditionsOf(source))['FoldersMissing']).toMatchObject({
      status: 'True',
      message: expect.stringContaining(name),
    });
  });

  test('in a repository without the folder of declarations removes nothing and stalls', async () => {
    const { source, name, id } = await newOrganization();
    const gone = Object.keys(toOrganizationFiles(name)).map((path) => [path, null] as const);
    await source.push({ ...Object.fromEntries(gone), 'README.md': 'empty' });
    expect(await fixture.reconcile(source)).toMatchObject({
      ok: false,
      failure: { code: 'reconcile.fetch_failed', cause: { code: 'git.path_missing' }, isTransient: false },
    });
    expect(await fixture.query('select 1 from role_binding where org_id = $1', [id])).toHaveLength(3);
    expect(await conditionsOf(source)).toMatchObject({
      Stalled: { status: 'True', reason: 'git.path_missing' },
    });
    expect(await fixture.reconcile(source, 'poll')).toMatchObject({ value: { outcome: 'settled' } });
  });

  test('on a server that is away waits to be asked again, and the poll asks', async () => {
    const { source, name } = await newOrganization();
    await source.push({ [`organizations/${name}/ci.yaml`]: null });
    const unreachable = { ok: false, failure: { code: 'git.unreachable', message: 'away' } } as const;
    const away = {
      ...fixture.deps,
      repository: { resolveRef: async () => unreachable, readTree: async () => unreachable },
    };
    expect(await reconcileSource(away, { sourceId: source.id, trigger: 'push' })).toMatchObject({
      failure: { code: 'reconcile.fetch_failed', isTransient: true },
    });
    expect(await conditionsOf(source)).toMatchObject({
      Ready: { status: 'False', reason: 'git.unreachable' },
      Reconciling: { status: 'True' },
      Stalled: { status: 'False' },
    });
    expect(await fixture.reconcile(source, 'poll')).toMatchObject({ value: { applied: [name] } });
    expect(await conditionsOf(source)).toMatchObject({ Ready: { status: 'True' } });
  });
});
