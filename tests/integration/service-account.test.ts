import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

type Tenant = Awaited<ReturnType<AdminService['seedTenant']>>;

let admin: AdminService;
let tenant: Tenant;

beforeAll(async () => {
  admin = await startAdminService();
  tenant = await admin.seedTenant({ serviceAccounts: ['ci'], teams: { core: {}, web: {} } });
});
afterAll(() => admin.close());

const accountsOf = ({ organizationId }: Tenant) => `/v1/organizations/${organizationId}/service-accounts`;

function post(path: string, body?: unknown, { key }: { key: string } = tenant) {
  return admin.request('post', path, { key, ...(body === undefined ? {} : { body }) });
}

async function create(body: Record<string, unknown>, of = tenant) {
  const { status, json } = await post(accountsOf(of), { displayName: 'x', ...body }, of);
  expect(status).toBe(201);
  return { ...json, path: `${accountsOf(of)}/${json.id}` };
}

async function issueKey(account: { path: string }): Promise<string> {
  const issued = await post(`${account.path}/api-keys`, { description: 'x' });
  expect(issued.status).toBe(201);
  return Object.values<unknown>(issued.json).find(
    (value) => typeof value === 'string' && value.startsWith('uos_sa_'),
  ) as string;
}

async function isRefused(key: string): Promise<boolean> {
  return (await admin.request('get', `/v1/organizations/${tenant.organizationId}`, { key })).status === 401;
}

async function eventsAbout(subject: string, of = tenant) {
  const rows = await withOrg(admin.pool, of.organizationId, (tx) =>
    tx.selectFrom('audit_event').select(['type', 'leaf']).where('subject', '=', subject).execute(),
  );
  return rows.map(({ type, leaf }) => ({ type, data: JSON.parse(leaf).data }));
}

function expireNow(id: string, of = tenant): Promise<unknown> {
  return withOrg(admin.pool, of.organizationId, (tx) =>
    tx
      .updateTable('service_account')
      .set({ expires_at: new Date() })
      .where('service_account_id', '=', id)
      .execute(),
  );
}

const future = '2099-01-31T00:00:00.000Z';

describe('a service account', () => {
  it('says whose it is, what it is for, who made it, and until when', async () => {
    const asked = {
      name: 'billing-export',
      ownerTeamId: tenant.idOf('core'),
      labels: { env: 'prod' },
      expiresAt: future,
      reason: 'Nightly export to the warehouse',
    };
    const account = await create(asked);
    expect(account).toMatchObject({ ...asked, status: 'active', createdBy: tenant.idOf('admin') });
    const found = await admin.request('get', account.path, tenant);
    expect(found.json).toMatchObject(asked);
  });

  it.each([
    ['a person as its owner', { ownerTeamId: 'usr_01h455vb4pex5vsknk084sn02q' }, 'body.ownerTeamId'],
    ['a team that is not there', { ownerTeamId: 'team_01h455vb4pex5vsknk084sn02q' }, 'body.ownerTeamId'],
    ['an expiry in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'body.expiresAt'],
    ['prose for a label', { labels: { why: 'it is needed' } }, 'body.labels.why'],
  ])('refuses %s, at creation and later', async (_, fault, path) => {
    const account = await create({
      name: `faulty-${Object.keys(fault)[0]?.toLowerCase()}-${path.length}-${JSON.stringify(fault).length}`,
    });
    for (const answer of [
      await post(accountsOf(tenant), { name: 'never', displayName: 'x', ...fault }),
      await post(`${account.path}/update`, fault),
    ]) {
      expect([answer.status, answer.json.code]).toEqual([400, 'request.malformed']);
      expect(answer.json.errors[0].path).toBe(path);
    }
  });

  // Threat: a reference to a team of another organization tells that it exists, or joins the two.
  it('never belongs to a team of another organization', async () => {
    const other = await admin.seedTenant({ teams: { theirs: {} } });
    const body = { name: 'foreign', displayName: 'x', ownerTeamId: other.idOf('theirs') };
    expect((await post(accountsOf(tenant), body)).status).toBe(400);
  });

  it('changes as asked: what is left out stays, null takes away, and each change is recorded once', async () => {
    const account = await create({ name: 'changing', labels: { a: '1' }, expiresAt: future, reason: 'why' });
    const change = { ownerTeamId: tenant.idOf('web'), labels: { b: '2' } };
    for (const body of [change, change, {}, { expiresAt: null }]) {
      expect((await post(`${account.path}/update`, body)).status).toBe(200);
    }
    const { json } = await admin.request('get', account.path, tenant);
    expect(json).toMatchObject({ ...change, displayName: 'x', reason: 'why' });
    expect(json).not.toHaveProperty('expiresAt');
    const changes = (await eventsAbout(account.id)).flatMap(({ data }) => data.changes ?? []);
    expect(changes).toEqual(['ownerTeamId', 'labels', 'expiresAt']);
  });

  it('says in the trail why it exists, whose it is and when it ends, and why each of that changed', async () => {
    const asked = { ownerTeamId: tenant.idOf('core'), expiresAt: future, reason: 'Nightly export' };
    const account = await create({ name: 'explained', ...asked });
    const step = (verb: string, body: object) => post(`${account.path}/${verb}`, body);
    await step('update', { ownerTeamId: null, expiresAt: '2098-01-01T00:00:00+01:00', reason: 'moved' });
    await step('update', { displayName: 'Ada’s' });
    for (const verb of ['disable', 'enable', 'delete']) {
      expect((await step(verb, { reason: `${verb} it` })).status).toBe(200);
    }
    const told = (await eventsAbout(account.id)).map(({ type, data: { actor: _, ...data } }) => [type, data]);
    const name = 'explained';
    const expected = [
      ['uos.service-account.created.v1', { name, managedBy: 'api', ...asked }],
      [
        'uos.service-account.updated.v1',
        {
          name,
          changes: ['ownerTeamId', 'expiresAt'],
          ownerTeamId: null,
          expiresAt: '2097-12-31T23:00:00.000Z',
          reason: 'moved',
        },
      ],
      ['uos.service-account.updated.v1', { name, changes: ['displayName'] }],
      ['uos.service-account.disabled.v1', { name, reason: 'disable it' }],
      ['uos.service-account.enabled.v1', { name, reason: 'enable it' }],
      ['uos.service-account.removed.v1', { name, reason: 'delete it' }],
    ];
    // Of one millisecond they have no order.
    expect(told).toHaveLength(expected.length);
    expect(told).toEqual(expect.arrayContaining(expected));
  });

  it('is refused from its expiry on, gets no key, and works again when it is prolonged', async () => {
    const account = await create({ name: 'expiring', expiresAt: future });
    const key = await issueKey(account);
    expect(await isRefused(key)).toBe(false);
    await expireNow(account.id);
    expect(await isRefused(key)).toBe(true);
    expect((await post(`${account.path}/api-keys`, { description: 'x' })).status).toBeGreaterThanOrEqual(400);
    expect((await admin.request('get', account.path, tenant)).json.status).toBe('expired');
    expect((await post(`${account.path}/update`, { expiresAt: future })).json.status).toBe('active');
    expect(await isRefused(key)).toBe(false);
  });
});

describe('deletion', () => {
  it('ends every key at once, takes the roles, teams and groups away, and each is recorded', async () => {
    const mine = await admin.seedTenant({
      serviceAccounts: ['robot'],
      teams: { crew: { members: ['robot'] } },
      groups: { fleet: ['robot'] },
      bindings: [{ role: 'Developer', subject: 'robot' }],
    });
    const { text } = await admin.apiKeys.issue(mine, 'robot');
    const path = `${accountsOf(mine)}/${mine.idOf('robot')}`;
    const read = () => admin.request('get', accountsOf(mine), { key: text });
    expect((await read()).status).toBe(200);
    for (let time = 0; time < 2; time++) {
      const deleted = await post(`${path}/delete`, undefined, mine);
      expect([deleted.status, deleted.json.status]).toEqual([200, 'deleted']);
    }
    expect((await read()).status).toBe(401);
    const rows = await withOrg(admin.pool, mine.organizationId, async (tx) => [
      ...(await tx.selectFrom('role_binding').select('subject_id').execute()),
      ...(await tx.selectFrom('team_member').select('member_id as subject_id').execute()),
      ...(await tx.selectFrom('group_member').select('member_id as subject_id').execute()),
    ]);
    expect(rows.map(({ subject_id }) => subject_id)).toEqual([mine.idOf('admin')]);
    const keys = await admin.request(
      'get',
      `/v1/organizations/${mine.name}/api-keys?serviceAccount=${mine.idOf('robot')}`,
      mine,
    );
    expect(keys.json.items).toMatchObject([{ status: 'revoked', revokedBy: mine.idOf('admin') }]);
    const about = async (subject: string) => (await eventsAbout(subject, mine)).map(({ type }) => type);
    expect(await about(mine.idOf('robot'))).toEqual(['uos.service-account.removed.v1']);
    expect(await about(mine.bindingIds[1] ?? '')).toEqual(['uos.role-binding.removed.v1']);
    expect(await about(mine.idOf('crew'))).toEqual(['uos.team-member.removed.v1']);
    expect(await about(mine.idOf('fleet'))).toEqual(['uos.group-member.removed.v1']);
  });

  it('keeps the id readable and gives the name away, to an account with another id', async () => {
    const account = await create({ name: 'phoenix', reason: 'first' });
    const deleted = await post(`${account.path}/delete`);
    expect((await admin.request('get', account.path, tenant)).json).toEqual(deleted.json);
    expect(deleted.json).toMatchObject({ name: 'phoenix', status: 'deleted', reason: 'first' });
    const again = await create({ name: 'phoenix' });
    expect(again.id).not.toBe(account.id);
    expect((await post(`${again.path}/delete`)).status).toBe(200);
    expect(await admin.deps.stores.serviceAccount.locate(serviceAccountId.require(account.id))).toBe(
      tenant.organizationId,
    );
  });

  it('is for ever: no change, no enabling, no key', async () => {
    const account = await create({ name: 'final' });
    const key = await issueKey(account);
    await post(`${account.path}/delete`);
    for (const [path, body] of [
      ['enable', undefined],
      ['disable', undefined],
      ['update', { expiresAt: future }],
    ] as const) {
      const answer = await post(`${account.path}/${path}`, body);
      expect([path, answer.status, answer.json.code]).toEqual([path, 409, 'resource.conflict']);
    }
    const issued = await post(`${account.path}/api-keys`, { description: 'x' });
    expect(issued.status).toBeGreaterThanOrEqual(400);
    expect(await isRefused(key)).toBe(true);
  });

  // Code of the version before knows no deletion, and runs beside this one during an upgrade.
  it('cannot be undone by a statement that sets the status alone', async () => {
    const account = await create({ name: 'undead' });
    await post(`${account.path}/delete`);
    const revive = withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx
        .updateTable('service_account')
        .set({ status: 'active' })
        .where('service_account_id', '=', account.id)
        .execute(),
    );
    await expect(revive).rejects.toThrow(/service_account_deletion_is_final/);
  });

  // What Git declares comes back with the next reconciliation: only its own removal there lasts.
  it('is refused for what is declared elsewhere, which can still be disabled', async () => {
    const account = await create({ name: 'declared' });
    for (const managedBy of ['git', 'platform'] as const) {
      await withOrg(admin.pool, tenant.organizationId, (tx) =>
        tx
          .updateTable('service_account')
          .set({ managed_by: managedBy })
          .where('service_account_id', '=', account.id)
          .execute(),
      );
      for (const [path, body] of [
        ['delete', undefined],
        ['update', { labels: {} }],
      ] as const) {
        const answer = await post(`${account.path}/${path}`, body);
        expect([answer.status, answer.json.code]).toEqual([409, 'resource.conflict']);
      }
      expect((await post(`${account.path}/disable`)).status).toBe(200);
    }
  });

  it('never leaves a key that works, whatever is issued while it happens', async () => {
    for (let round = 0; round < 8; round++) {
      const account = await create({ name: `racing-${round}` });
      const [deleted, ...issued] = await Promise.all([
        post(`${account.path}/delete`),
        ...Array.from({ length: 4 }, () => post(`${account.path}/api-keys`, { description: 'x' })),
      ]);
      expect(deleted?.status).toBe(200);
      for (const { status, text } of issued) {
        expect([201, 400, 404, 409]).toContain(status);
        const key = /uos_sa_[0-9A-Za-z_]+/.exec(text)?.[0];
        expect(key !== undefined).toBe(status === 201);
        if (key !== undefined) expect(await isRefused(key)).toBe(true);
      }
    }
  });

  it('of two at once happens once', async () => {
    const account = await create({ name: 'twice' });
    const answers = await Promise.all([1, 2, 3].map(() => post(`${account.path}/delete`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    const types = (await eventsAbout(account.id)).map(({ type }) => type);
    expect(types).toEqual(['uos.service-account.created.v1', 'uos.service-account.removed.v1']);
  });
});

describe('the list', () => {
  let listing: Tenant;
  const list = async (query: string) => {
    const path = `${accountsOf(listing)}?limit=100&${query}`;
    const { status, json } = await admin.request('get', path, listing);
    expect(status).toBe(200);
    const names: string[] = json.items.map(({ name }: { name: string }) => name);
    return names.filter((name) => name.startsWith('list-')).sort();
  };

  beforeAll(async () => {
    listing = await admin.seedTenant({ teams: { core: {} } });
    const team = { ownerTeamId: listing.idOf('core') };
    await create({ name: 'list-a', labels: { env: 'prod', tier: '1' }, ...team }, listing);
    await create({ name: 'list-b', labels: { env: 'prod' } }, listing);
    const disabled = await create({ name: 'list-c', labels: { env: 'test' } }, listing);
    await post(`${disabled.path}/disable`, undefined, listing);
    const deleted = await create({ name: 'list-d', labels: { env: 'prod' } }, listing);
    await post(`${deleted.path}/delete`, undefined, listing);
    const expired = await create({ name: 'list-e', expiresAt: future }, listing);
    await expireNow(expired.id, listing);
  });

  it.each([
    ['', ['list-a', 'list-b', 'list-c', 'list-e']],
    ['label=env=prod', ['list-a', 'list-b']],
    ['label=env=prod,tier=1', ['list-a']],
    ['label=env=prod&status=deleted', ['list-d']],
    ['status=active', ['list-a', 'list-b']],
    ['status=disabled', ['list-c']],
    ['status=expired', ['list-e']],
    ['label=env=none', []],
  ])('by "%s" holds %j', async (query, names) => {
    expect(await list(query)).toEqual(names);
  });

  it('of a team holds what belongs to it', async () => {
    expect(await list(`ownerTeam=${listing.idOf('core')}`)).toEqual(['list-a']);
  });

  it.each(['label=env', 'label=env=a,env=b', 'label=Env=a', 'status=gone', 'ownerTeam=core'])(
    'refuses the filter "%s"',
    async (query) => {
      const answer = await admin.request('get', `${accountsOf(listing)}?${query}`, listing);
      expect([answer.status, answer.json.code]).toEqual([400, 'request.malformed']);
    },
  );
});
