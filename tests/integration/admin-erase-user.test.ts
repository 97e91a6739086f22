import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckedScopes, issuePersonalApiKey, type Network, userId } from '../../shared/api-key/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import { holdSubjectKeys } from '../../shared/personal-data/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

type Tenant = Awaited<ReturnType<AdminService['seedTenant']>>;

let admin: AdminService;
let tenant: Tenant;
let other: Tenant;
let home: string;

beforeAll(async () => {
  admin = await startAdminService();
  other = await admin.seedTenant();
});
afterAll(() => admin.close());

/** A tenant with one member, Ada, whose address the trail holds; and an account for each built-in role. */
async function start(): Promise<void> {
  tenant = await admin.seedTenant({
    users: ['ada'],
    serviceAccounts: ['security', 'auditor'],
    bindings: [
      { role: 'Security', subject: 'security' },
      { role: 'Auditor', subject: 'auditor' },
    ],
  });
  home = `/v1/organizations/${tenant.organizationId}`;
  await recordJoined(tenant.idOf('ada'), 'ada@example.test');
}

async function recordJoined(user: string, email: string): Promise<void> {
  const { organizationId } = tenant;
  const keys = { ...admin.deps, store: admin.deps.stores.subjectKey, ring: admin.deps.rings.personalData };
  await withOrg(admin.pool, organizationId, async (tx) => {
    const held = await holdSubjectKeys(keys, tx, { organizationId, subjects: [user] });
    await admin.deps.events.record(tx, organizationId, {
      type: 'uos.membership.created.v1',
      subject: user,
      actor: { type: 'system', id: 'test' },
      data: { name: 'ada', managedBy: 'api' },
      personal: (event) => ({
        email: { after: held.seal({ event, subject: user, path: 'personal.email.after' }, email) },
      }),
    });
  });
}

const keyOf = async (account: string) => ({ key: (await admin.apiKeys.issue(tenant, account)).text });
const erase = (caller: { key: string } = tenant, user = tenant.idOf('ada')) =>
  admin.request('post', `${home}/users/${user}/erase`, caller);
const read = (caller: { key: string }, flag = '&personalData=open') =>
  admin.request('get', `${home}/audit/events?subject=${tenant.idOf('ada')}${flag}`, caller);

describe('the audit trail of a person', () => {
  it('shows what is sealed as it stands, to whoever may read it', async () => {
    await start();
    const { json, text } = await read(tenant, '');
    expect(text).not.toContain('ada@example.test');
    expect(json.items[0]).not.toHaveProperty('personalData');
    expect(JSON.parse(json.items[0].leaf).data.personal.email.after).toEqual({
      sealed: expect.stringMatching(/^v1\./),
      subject: tenant.idOf('ada'),
    });
  });

  it('is opened for who holds personal_data:read and asks, and that is recorded', async () => {
    await start();
    const security = await keyOf('security');
    const { json } = await read(security);
    expect(json.items[0].personalData).toEqual([
      {
        path: 'personal.email.after',
        subject: tenant.idOf('ada'),
        status: 'readable',
        value: 'ada@example.test',
      },
    ]);
    const reads = await admin.request('get', `${home}/audit/events?subject=${tenant.organizationId}`, tenant);
    expect(JSON.parse(reads.json.items[0].leaf).data).toMatchObject({
      count: 1,
      personalData: 1,
      actor: { id: tenant.idOf('security') },
    });
  });

  it('is not opened for who may read the trail alone', async () => {
    await start();
    const { status, json } = await read(await keyOf('auditor'));
    expect([status, json.code]).toEqual([403, 'authorization.not_permitted']);
    expect(json.detail).toContain('personal_data:read');
  });

  // Threat: who runs the platform for others reads about their people.
  it('is not opened for the operator of the platform', async () => {
    await start();
    expect((await read({ key: admin.operatorKey })).status).toBe(403);
    expect((await erase({ key: admin.operatorKey })).status).toBe(403);
  });
});

describe('erasing a person', () => {
  it('closes what is sealed, takes the texts from the member list, and refuses the member', async () => {
    await start();
    const erased = await erase(await keyOf('security'));
    expect([erased.status, erased.json.userId]).toEqual([200, tenant.idOf('ada')]);
    const trail = await read(tenant);
    expect(trail.json.items.map((item: { type: string }) => item.type)).toEqual([
      'uos.user.erased.v1',
      'uos.membership.created.v1',
    ]);
    expect(trail.json.items[1].personalData).toMatchObject([
      { status: 'erased', erasedAt: erased.json.erasedAt },
    ]);
    const members = await admin.request('get', `${home}/members`, tenant);
    expect(members.json.items).toMatchObject([{ id: tenant.idOf('ada'), status: 'disabled' }]);
    expect(members.text + trail.text).not.toMatch(/ada@example\.test|"displayName":"ada"/);
  });

  it('again answers the same and records nothing', async () => {
    await start();
    const first = await erase();
    expect((await erase()).json).toEqual(first.json);
    expect((await read(tenant)).json.items.length).toBe(2);
  });

  it('is refused while Git declares the person, with the reason, and erases nothing', async () => {
    await start();
    const setManagedBy = (managed_by: 'git' | 'api') =>
      withOrg(admin.pool, tenant.organizationId, (tx) =>
        tx.updateTable('membership').set({ managed_by }).execute(),
      );
    await setManagedBy('git');
    const { status, json } = await erase();
    expect([status, json.code]).toEqual([409, 'resource.conflict']);
    expect(json.detail).toContain('Git');
    expect((await read(tenant)).json.items[0].personalData).toMatchObject([{ status: 'readable' }]);
  });

  it('works for who is no member any more, and for who never had a sealed text', async () => {
    await start();
    await withOrg(admin.pool, tenant.organizationId, (tx) => tx.deleteFrom('membership').execute());
    expect((await erase()).status).toBe(200);
    expect((await read(tenant)).json.items[1].personalData).toMatchObject([{ status: 'erased' }]);
    tenant = await admin.seedTenant({ users: ['ada'] });
    home = `/v1/organizations/${tenant.organizationId}`;
    const first = await erase();
    expect(first.status).toBe(200);
    expect((await erase()).json).toEqual(first.json);
  });

  // Threat: who is erased left keys that still open what the person may do, and say where from and what for.
  it('ends the keys of the person, and what they say of where from and what for', async () => {
    await start();
    const owner = userId.require(tenant.idOf('ada'));
    const issued = await issuePersonalApiKey(admin.apiKeys.deps, {
      organizationId: tenant.organizationId,
      actor: { type: 'user', id: owner },
      scopes: ['organization:read'] as readonly string[] as CheckedScopes,
      description: "Ada's laptop",
      reason: 'for Ada',
      labels: { owner: 'ada' },
      allowedNetworks: ['127.0.0.1/32' as Network],
      environment: 'test',
    });
    invariant(issued.ok, 'no personal key');
    const { id } = issued.value.key;
    for (const _ of [1, 2]) expect((await erase()).status).toBe(200);
    const { json, text } = await admin.request('get', `${home}/api-keys?user=${owner}`, tenant);
    expect(json.items).toMatchObject([{ id, status: 'revoked', description: 'Erased', labels: {} }]);
    expect(text).not.toMatch(/laptop|for Ada|127\.0\.0\.1|allowedNetworks|reason/);
    const trail = await admin.request('get', `${home}/audit/events?subject=${id}`, tenant);
    const leaves = trail.json.items.map((event: { leaf: string }) => JSON.parse(event.leaf));
    expect(leaves.filter(({ type }: { type: string }) => type === 'uos.api-key.revoked.v1')).toMatchObject([
      { data: { userId: owner, reason: 'owner_erased' } },
    ]);
  });

  it('of nobody, or in another organization, is not found', async () => {
    await start();
    expect((await erase(tenant, 'usr_00000000000000000000000000')).status).toBe(404);
    expect((await erase(other)).status).toBe(404);
    expect((await read(tenant)).json.items[0].personalData).toMatchObject([{ status: 'readable' }]);
  });

  it('is not for an auditor', async () => {
    await start();
    expect((await erase(await keyOf('auditor'))).status).toBe(403);
  });
});

it('takes the person out of stored plans, and nobody else', async () => {
  await start();
  const ada = { email: 'ada@example.test', displayName: 'Ada' };
  const grace = { email: 'grace@example.test', displayName: 'Grace' };
  const user = (name: string, spec: object) => ({ kind: 'user', name, spec, managedBy: 'git' });
  const changes = [
    { operation: 'create', entity: user('ada', ada), reason: 'declared' },
    { operation: 'update', entity: user('ada', ada), before: user('ada', ada), fields: ['email'] },
    { operation: 'create', entity: user('grace', grace), reason: 'declared' },
  ];
  await withOrg(admin.pool, admin.platform.organizationId, (tx) =>
    tx
      .insertInto('git_source')
      .values({
        source_id: `src_${tenant.name}`,
        url: tenant.name,
        ref: 'main',
        webhook_secret_sealed: Buffer.alloc(1),
        conditions: '[]',
        created_at: new Date(),
        updated_at: new Date(),
      })
      .execute(),
  );
  await withOrg(admin.pool, tenant.organizationId, (tx) =>
    tx
      .insertInto('reconcile_run')
      .values({
        org_id: tenant.organizationId,
        run_id: 'run_1',
        source_id: `src_${tenant.name}`,
        name: 'acme',
        commit_sha: 'c',
        tree_oid: 't',
        plan: JSON.stringify({ organization: 'acme', changes }),
        plan_hash: 'h',
        status: 'applied',
        planned_at: new Date(),
      })
      .execute(),
  );
  await erase();
  const { plan } = await withOrg(admin.pool, tenant.organizationId, (tx) =>
    tx.selectFrom('reconcile_run').select('plan').executeTakeFirstOrThrow(),
  );
  const erased = { email: 'erased', displayName: 'erased' };
  expect(plan).toEqual({
    organization: 'acme',
    changes: [
      { ...changes[0], entity: user('ada', erased) },
      { ...changes[1], entity: user('ada', erased), before: user('ada', erased) },
      changes[2],
    ],
  });
});
