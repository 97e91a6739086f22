import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;
let operator: { key: string };
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;
let home: string;

beforeAll(async () => {
  admin = await startAdminService();
  operator = { key: admin.operatorKey };
  tenant = await admin.seedTenant({
    users: ['ada'],
    serviceAccounts: ['ci'],
    teams: { core: { members: ['ada', 'ci'] } },
    groups: { oncall: ['ada', 'ci'], empty: [] },
    bindings: [
      { role: 'Developer', subject: 'core' },
      { role: 'Auditor', subject: 'oncall' },
    ],
  });
  home = `/v1/organizations/${tenant.organizationId}`;
});
afterAll(() => admin.close());

type Item = Record<string, unknown>;
const idsOf = (items: Item[]) => items.map(({ id }) => id);

async function eventsAbout(organizationId: string, subject: string) {
  return withOrg(admin.pool, organizationId, (tx) =>
    tx
      .selectFrom('audit_event')
      .select(['type', 'actor_id', 'leaf'])
      .where('subject', '=', subject)
      .execute(),
  );
}

/** Every page of a list, one item a page. */
async function walk(path: string, key: string): Promise<Item[]> {
  const items: Item[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const { json }: { json: { items: Item[]; nextCursor?: string } } = await admin.request('get', next, {
      key,
    });
    items.push(...json.items);
    next = json.nextCursor && `${path}&cursor=${json.nextCursor}`;
  }
  return items;
}

describe('organizations', () => {
  it('are created by the operator, found by id and by name, and recorded in their own trail', async () => {
    const created = await admin.request('post', '/v1/organizations', {
      ...operator,
      body: { name: 'acme', displayName: 'Acme' },
    });
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({ name: 'acme', status: 'active', managedBy: 'api' });
    for (const path of [created.headers.get('location') ?? '', '/v1/organizations/acme'])
      expect((await admin.request('get', path, operator)).json).toEqual(created.json);
    const events = await eventsAbout(created.json.id, created.json.id);
    expect(events.map(({ type, actor_id }) => [type, actor_id])).toEqual([
      ['uos.organization.created.v1', admin.platform.idOf('operator')],
    ]);
  });

  it('never share a name, whoever has it', async () => {
    const body = { name: tenant.name, displayName: 'Other' };
    const taken = await admin.request('post', '/v1/organizations', { ...operator, body });
    expect([taken.status, taken.json.code]).toEqual([409, 'resource.already_exists']);
  });

  it('are all listed for the operator, page by page, newest first', async () => {
    const listed = idsOf(await walk('/v1/organizations?limit=1', admin.operatorKey));
    expect(listed).toContain(platformOrganizationId);
    expect(listed).toContain(tenant.organizationId);
    expect(listed).toEqual([...listed].sort().reverse());
  });

  it('of others are not in the list of a tenant', async () => {
    const { json } = await admin.request('get', '/v1/organizations', tenant);
    expect(idsOf(json.items)).toEqual([tenant.organizationId]);
    expect(json).not.toHaveProperty('nextCursor');
  });

  it('show their people, teams, roles and role bindings', async () => {
    const get = async (list: string) => (await admin.request('get', `${home}/${list}`, tenant)).json.items;
    expect(await get('members')).toMatchObject([{ id: tenant.idOf('ada'), name: 'ada', status: 'active' }]);
    const [team] = await get('teams');
    expect(team).toMatchObject({ name: 'core', managedBy: 'api' });
    expect(idsOf(team.members).sort()).toEqual([tenant.idOf('ada'), tenant.idOf('ci')].sort());
    expect(await get('roles')).toMatchObject([{ name: 'everything', permissions: ['*:*'] }]);
    expect(await get('role-bindings')).toContainEqual(
      expect.objectContaining({
        role: 'Developer',
        subject: { type: 'team', id: tenant.idOf('core') },
        scope: { type: 'organization', id: tenant.organizationId },
        effect: 'allow',
      }),
    );
  });
});

describe('groups', () => {
  const groups = () => `${home}/groups`;

  it('are listed without members, newest first, and found with them', async () => {
    const listed = await walk(`${groups()}?limit=1`, tenant.key);
    // Ids of one millisecond have no order of their making.
    expect(idsOf(listed)).toEqual(['empty', 'oncall'].map(tenant.idOf).sort().reverse());
    const oncall = listed.find(({ name }) => name === 'oncall');
    expect(oncall).toEqual({
      id: tenant.idOf('oncall'),
      name: 'oncall',
      displayName: 'oncall',
      managedBy: 'api',
      updatedAt: expect.any(String),
    });
    const found = await admin.request('get', `${groups()}/${tenant.idOf('oncall')}`, tenant);
    expect(found.json).toEqual({
      ...oncall,
      members: [
        { type: 'service_account', id: tenant.idOf('ci') },
        { type: 'user', id: tenant.idOf('ada') },
      ],
    });
    const empty = await admin.request('get', `${groups()}/${tenant.idOf('empty')}`, tenant);
    expect(empty.json.members).toEqual([]);
  });

  it('are named as the subject of what they hold', async () => {
    const { json } = await admin.request('get', `${home}/role-bindings`, tenant);
    const subject = { type: 'group', id: tenant.idOf('oncall') };
    expect(json.items).toContainEqual(expect.objectContaining({ role: 'Auditor', subject }));
  });

  it('of another organization are not found, be it by their own path or through ours', async () => {
    const other = await admin.seedTenant({ groups: { theirs: [] } });
    const theirs = `/v1/organizations/${other.organizationId}/groups`;
    const paths = [`${groups()}/${other.idOf('theirs')}`, theirs, `${theirs}/${other.idOf('theirs')}`];
    for (const path of paths) expect((await admin.request('get', path, tenant)).status).toBe(404);
  });

  it('are read with the permission alone, which may be on one of them', async () => {
    const { idOf, ...seeded } = await admin.seedTenant({
      serviceAccounts: ['member', 'reader'],
      groups: { a: [], b: [] },
      roles: { 'group-reader': ['group:read'] },
      bindings: [{ role: 'Member', subject: 'member' }],
    });
    const { text: key } = await admin.apiKeys.issue({ idOf, ...seeded }, 'member');
    const path = `/v1/organizations/${seeded.organizationId}/groups`;
    const status = async (name: string) =>
      (await admin.request('get', name === '' ? path : `${path}/${idOf(name)}`, { key })).status;
    expect([await status(''), await status('a')]).toEqual([403, 403]);
    await withOrg(admin.pool, seeded.organizationId, (tx) =>
      tx
        .updateTable('role_binding')
        .set({ role_name: 'group-reader', scope_type: 'resource', scope_id: `group:${idOf('a')}` })
        .where('subject_id', '=', idOf('member'))
        .execute(),
    );
    expect([await status(''), await status('a'), await status('b')]).toEqual([403, 200, 403]);
  });
});

describe('service accounts', () => {
  it('are created, found and listed, newest first', async () => {
    const body = { name: 'deploy', displayName: 'Deployments' };
    const created = await admin.request('post', `${home}/service-accounts`, { ...tenant, body });
    expect(created.status).toBe(201);
    const found = await admin.request('get', created.headers.get('location') ?? '', tenant);
    expect(found.json).toEqual(created.json);
    const listed = await walk(`${home}/service-accounts?limit=1`, tenant.key);
    expect(listed[0]).toEqual(created.json);
    expect(listed.length).toBe(4);
  });

  it('can be located by id before their organization is known', async () => {
    expect(await admin.deps.stores.serviceAccount.locate(tenant.idOf('ci') as never)).toBe(
      tenant.organizationId,
    );
    const body = { name: 'located', displayName: 'x' };
    const { json } = await admin.request('post', `${home}/service-accounts`, { ...tenant, body });
    expect(await admin.deps.stores.serviceAccount.locate(json.id)).toBe(tenant.organizationId);
  });

  it('never share a name in one organization, and may in two', async () => {
    const other = await admin.seedTenant();
    const body = { name: 'ci', displayName: 'x' };
    const here = await admin.request('post', `${home}/service-accounts`, { ...tenant, body });
    expect([here.status, here.json.code]).toEqual([409, 'resource.already_exists']);
    const path = `/v1/organizations/${other.organizationId}/service-accounts`;
    expect((await admin.request('post', path, { key: other.key, body })).status).toBe(201);
  });

  it('that are disabled are refused at once, and work again when enabled; each change is recorded once', async () => {
    const organization = await admin.seedTenant({
      serviceAccounts: ['robot'],
      bindings: [{ role: 'Member', subject: 'robot' }],
    });
    const { text: key } = await admin.apiKeys.issue(organization, 'robot');
    const path = `/v1/organizations/${organization.name}`;
    const robot = `${path}/service-accounts/${organization.idOf('robot')}`;
    const statuses: number[] = [];
    for (const action of ['disable', 'disable', 'enable', 'enable']) {
      expect((await admin.request('post', `${robot}/${action}`, { key: organization.key })).status).toBe(200);
      statuses.push((await admin.request('get', path, { key })).status);
    }
    expect(statuses).toEqual([401, 401, 200, 200]);
    const events = await eventsAbout(organization.organizationId, organization.idOf('robot'));
    expect(events.map(({ type }) => type).sort()).toEqual([
      'uos.service-account.disabled.v1',
      'uos.service-account.enabled.v1',
    ]);
  });
});

describe('API keys', () => {
  const issue = (body: Item = { description: 'Deployments' }, account = tenant.idOf('ci')) =>
    admin.request('post', `${home}/service-accounts/${account}/api-keys`, { ...tenant, body });

  it('work at once, are shown once, and are nowhere else to be read', async () => {
    const { status, json } = await issue();
    expect(status).toBe(201);
    expect((await admin.request('get', home, { key: json.text })).status).toBe(200);
    const listed = await admin.request('get', `${home}/api-keys?serviceAccount=${tenant.idOf('ci')}`, tenant);
    expect(listed.json.items[0]).toMatchObject({
      id: json.id,
      fingerprint: json.fingerprint,
      status: 'active',
    });
    expect(listed.text).not.toContain(json.text);
    const events = await eventsAbout(tenant.organizationId, json.id);
    expect(events.length).toBe(1);
    expect(JSON.stringify(events)).not.toContain(json.text.slice(-49, -6));
  });

  it('that are revoked are refused by the next request; who revoked first stays recorded', async () => {
    const { json } = await issue();
    const revoke = (key: string, reason: string) =>
      admin.request('post', `${home}/api-keys/${json.id}/revoke`, { key, body: { reason } });
    const first = await revoke(tenant.key, 'leaked');
    expect([first.status, first.json.status, first.json.revokedBy]).toEqual([
      200,
      'revoked',
      tenant.idOf('admin'),
    ]);
    const again = await revoke(admin.operatorKey, 'again');
    expect([again.status, again.json]).toEqual([200, first.json]);
    expect((await admin.request('get', home, { key: json.text })).status).toBe(401);
    const revocations = (await eventsAbout(tenant.organizationId, json.id)).filter(({ type }) =>
      type.includes('revoked'),
    );
    expect(revocations.map(({ leaf }) => JSON.parse(leaf).data.reason)).toEqual(['leaked']);
  });

  it('are revoked without a body too', async () => {
    const { json } = await issue();
    expect((await admin.request('post', `${home}/api-keys/${json.id}/revoke`, tenant)).status).toBe(200);
  });

  it('are not issued with an expiry in the past, nor for an account that is disabled or unknown', async () => {
    const past = await issue({ description: 'x', expiresAt: '2020-01-01T00:00:00Z' });
    expect([past.status, past.json.errors]).toEqual([
      400,
      [{ path: 'body.expiresAt', message: 'is in the past' }],
    ]);
    expect((await issue(undefined, 'sa_01kaaaaaaaaaaaaaaaaaaaaaaa')).status).toBe(404);
    const { json } = await admin.request('post', `${home}/service-accounts`, {
      ...tenant,
      body: { name: 'off', displayName: 'x' },
    });
    await admin.request('post', `${home}/service-accounts/${json.id}/disable`, tenant);
    expect((await issue(undefined, json.id)).status).toBe(404);
  });

  it('are listed page by page, each once', async () => {
    const whole = await admin.request('get', `${home}/api-keys?limit=100`, tenant);
    expect(await walk(`${home}/api-keys?limit=1`, tenant.key)).toEqual(whole.json.items);
    expect(whole.json.items.length).toBeGreaterThan(2);
  });
});

describe('Git sources', () => {
  const body = { url: 'https://git.test/acme/people.git', ref: 'main' };

  it('are registered with a secret that is shown once and sealed at rest', async () => {
    const { status, json, headers } = await admin.request('post', '/v1/git-sources', { ...operator, body });
    expect(status).toBe(201);
    expect(json).toMatchObject({ url: body.url, ref: 'refs/heads/main', conditions: [] });
    expect(Buffer.from(json.webhookSecret, 'base64url').length).toBe(32);
    const found = await admin.request('get', headers.get('location') ?? '', operator);
    const listed = await admin.request('get', '/v1/git-sources', operator);
    expect(listed.json.items).toContainEqual(found.json);
    expect(found.text + listed.text).not.toContain(json.webhookSecret);
    const row = await withOrg(admin.pool, platformOrganizationId, (tx) =>
      tx.selectFrom('git_source').selectAll().where('source_id', '=', json.id).executeTakeFirstOrThrow(),
    );
    expect(row.webhook_secret_sealed.includes(json.webhookSecret)).toBe(false);
    const opened = await admin.deps.rings.webhookSecrets.open(row.webhook_secret_sealed, json.id);
    expect(opened).toEqual({ ok: true, value: Buffer.from(json.webhookSecret) });
    const events = await eventsAbout(platformOrganizationId, json.id);
    expect(events.map(({ type }) => type)).toEqual(['uos.git-source.registered.v1']);
    expect(JSON.stringify(events)).not.toContain(json.webhookSecret);
  });

  it('are registered once', async () => {
    const again = await admin.request('post', '/v1/git-sources', {
      ...operator,
      body: { ...body, ref: 'refs/heads/main' },
    });
    expect([again.status, again.json.code]).toEqual([409, 'resource.already_exists']);
  });

  it.each([
    ['body.url', { ...body, url: 'file:///etc/passwd' }],
    ['body.url', { ...body, url: 'https://token@git.test/a.git' }],
    ['body.ref', { ...body, ref: 'refs/tags/v1' }],
  ])('are refused with the path %s', async (path, wrong) => {
    const { status, json } = await admin.request('post', '/v1/git-sources', { ...operator, body: wrong });
    expect([status, json.errors[0].path]).toEqual([400, path]);
  });

  it('that nobody registered are not found', async () => {
    const { status } = await admin.request('get', '/v1/git-sources/src_01kaaaaaaaaaaaaaaaaaaaaaaa', operator);
    expect(status).toBe(404);
  });
});

describe('signing keys', () => {
  it('are rotated on request, which wakes key-rotation', async () => {
    const { status, json } = await admin.request('post', '/v1/signing-keys/rotate', operator);
    expect([status, json.requestedBy]).toEqual([202, admin.platform.idOf('operator')]);
    expect((await admin.request('get', '/v1/signing-keys', operator)).json).toEqual({ items: [] });
    expect((await eventsAbout(platformOrganizationId, json.id)).length).toBe(1);
  });
});
