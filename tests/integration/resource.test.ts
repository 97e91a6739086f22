import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateAccess } from '../../shared/authorization/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

type Tenant = Awaited<ReturnType<AdminService['seedTenant']>>;

let admin: AdminService;
let tenant: Tenant;
let home: string;

beforeAll(async () => {
  admin = await startAdminService();
  tenant = await seedTenant();
  home = `/v1/organizations/${tenant.organizationId}`;
  await post('resource-types', { name: 'document', description: 'Texts', actions: ['read', 'write'] });
});
afterAll(() => admin.close());

function seedTenant(): Promise<Tenant> {
  return admin.seedTenant({
    users: ['ada', 'bob'],
    teams: { core: { members: ['ada'] } },
    roles: { reader: ['document:read'] },
    bindings: [{ role: 'reader', subject: 'core', at: { team: 'core' } }],
  });
}

function post(path: string, body: unknown, key = tenant.key) {
  return admin.request('post', `${home}/${path}`, { key, body });
}

function register(resourceId: string, rest: Record<string, unknown> = {}) {
  return post('resources', { type: 'document', resourceId, ...rest });
}

async function eventsAbout(subject: string) {
  return withOrg(admin.pool, tenant.organizationId, (tx) =>
    tx
      .selectFrom('audit_event')
      .select(['type', 'leaf'])
      .where('subject', '=', subject)
      .orderBy('event_id')
      .execute(),
  );
}

async function mayAdaRead(resourceId: string, properties?: Record<string, unknown>): Promise<boolean> {
  const { facts, engine, clock } = admin.deps;
  const decision = await evaluateAccess(
    { facts, engine, clock },
    {
      organizationId: tenant.organizationId,
      request: {
        subject: { type: 'user', id: tenant.idOf('ada'), properties: undefined },
        action: { name: 'read', properties: undefined },
        resource: { type: 'document', id: resourceId, properties },
        context: undefined,
      },
    },
  );
  expect(decision.cause).toBeUndefined();
  return decision.decision;
}

describe('resource types', () => {
  it('are registered once, recorded and listed', async () => {
    const folder = { name: 'folder', description: 'Of documents', actions: ['read'] };
    const created = await post('resource-types', folder);
    expect([created.status, created.json]).toEqual([
      201,
      expect.objectContaining({ ...folder, managedBy: 'api' }),
    ]);
    const again = await post('resource-types', folder);
    expect([again.status, again.json.code]).toEqual([409, 'resource.already_exists']);
    const listed = await admin.request('get', `${home}/resource-types`, { key: tenant.key });
    expect(listed.json.items.map(({ name }: { name: string }) => name)).toEqual(['document', 'folder']);
    expect((await eventsAbout('folder')).map(({ type }) => type)).toEqual([
      'uos.resource-type.registered.v1',
    ]);
  });

  // Threat: a registration that says to which organization or team somebody's key belongs.
  it.each(['api_key', 'organization', 'team', 'service_account', 'resource'])(
    'cannot be %s, which is the platform’s',
    async (name) => {
      const refused = await post('resource-types', { name, description: 'x', actions: ['read'] });
      expect([refused.status, refused.json.errors]).toEqual([
        400,
        [{ path: 'body.name', message: 'is a type of the platform' }],
      ]);
    },
  );

  it('end at a limit', async () => {
    const other = await seedTenant();
    const answers = [];
    for (let place = 0; place < 101; place++)
      answers.push(
        await admin.request('post', `/v1/organizations/${other.organizationId}/resource-types`, {
          key: other.key,
          body: { name: `type-${place}`, description: 'x', actions: ['read'] },
        }),
      );
    expect(answers.map(({ status }) => status)).toEqual([...Array(100).fill(201), 409]);
  });
});

describe('resources', () => {
  it('are registered with team, owner and attributes, once, and recorded without the values', async () => {
    const given = {
      team: tenant.idOf('core'),
      owner: tenant.idOf('ada'),
      attributes: { department: 'sales', level: 3, tags: ['a', 'b'] },
    };
    const created = await register('a/b c', given);
    expect(created.status).toBe(201);
    expect(created.json).toMatchObject({ type: 'document', resourceId: 'a/b c', ...given });
    const found = await admin.request('get', created.headers.get('location') ?? '', { key: tenant.key });
    expect(found.json.items).toEqual([created.json]);
    expect((await register('a/b c')).json.code).toBe('resource.already_exists');
    const [event] = await eventsAbout('document:a/b c');
    expect(JSON.parse(event?.leaf ?? '').data).toMatchObject({
      type: 'document',
      resourceId: 'a/b c',
      attributes: ['department', 'level', 'tags'],
    });
    expect(event?.leaf).not.toContain('sales');
  });

  it.each([
    ['a type that is not registered', { type: 'planet' }, 'body.type'],
    ['a team of nobody', { team: 'team_01kaaaaaaaaaaaaaaaaaaaaaaa' }, 'body.team'],
    ['an owner of nobody', { owner: 'usr_01kaaaaaaaaaaaaaaaaaaaaaaa' }, 'body.owner'],
    ['an attribute that is a field of its own', { attributes: { team: 'x' } }, 'body.attributes.team'],
    ['an attribute that is an object', { attributes: { a: { b: 1 } } }, 'body.attributes.a'],
    ['an id with a control character', { resourceId: 'a\0b' }, 'body.resourceId'],
  ])('with %s are refused', async (_what, rest, path) => {
    const refused = await register('refused', rest);
    expect([refused.status, refused.json.errors.map((fault: { path: string }) => fault.path)]).toEqual([
      400,
      [path],
    ]);
  });

  it('of another organization give no team and no owner', async () => {
    const other = await seedTenant();
    expect((await register('theirs', { team: other.idOf('core') })).status).toBe(400);
    expect((await register('theirs', { owner: other.idOf('ada') })).status).toBe(400);
  });

  it('get no owner that was deleted', async () => {
    const accounts = `/v1/organizations/${tenant.organizationId}/service-accounts`;
    const { json } = await admin.request('post', accounts, {
      key: tenant.key,
      body: { name: 'leaver', displayName: 'Leaver' },
    });
    expect((await register('before', { owner: json.id })).status).toBe(201);
    await admin.request('post', `${accounts}/${json.id}/delete`, { key: tenant.key, body: {} });
    expect((await register('after', { owner: json.id })).status).toBe(400);
  });

  it('are changed field by field; a change of nothing records nothing', async () => {
    await register('7', { team: tenant.idOf('core'), owner: tenant.idOf('ada'), attributes: { a: 1 } });
    const change = { type: 'document', resourceId: '7', team: null, owner: tenant.idOf('bob') };
    const updated = await post('resources/update', change);
    expect(updated.json).toMatchObject({ owner: tenant.idOf('bob'), attributes: { a: 1 } });
    expect(updated.json).not.toHaveProperty('team');
    expect((await post('resources/update', change)).status).toBe(200);
    const events = await eventsAbout('document:7');
    expect(events.map(({ type }) => type)).toEqual(['uos.resource.registered.v1', 'uos.resource.updated.v1']);
    expect(JSON.parse(events[1]?.leaf ?? '').data.changes).toEqual(['team', 'owner']);
  });

  it('are removed once', async () => {
    await register('8');
    const key = { type: 'document', resourceId: '8' };
    expect((await post('resources/remove', key)).json).toMatchObject(key);
    expect((await post('resources/remove', key)).json.code).toBe('resource.not_found');
    expect((await post('resources/update', key)).json.code).toBe('resource.not_found');
    expect((await eventsAbout('document:8')).at(-1)?.type).toBe('uos.resource.removed.v1');
  });

  it('are listed by id, page by page', async () => {
    await post('resource-types', { name: 'page', description: 'x', actions: ['read'] });
    for (const resourceId of ['c', 'a', 'b']) await register(resourceId, { type: 'page' });
    const ids: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const query = new URLSearchParams({ type: 'page', limit: '2', ...(cursor === '' ? {} : { cursor }) });
      const { json } = await admin.request('get', `${home}/resources?${query}`, { key: tenant.key });
      ids.push(...json.items.map((item: { resourceId: string }) => item.resourceId));
      cursor = json.nextCursor;
    }
    expect(ids).toEqual(['a', 'b', 'c']);
  });

  it('count in decisions over what a request says, from registration to removal', async () => {
    const core = { team: tenant.idOf('core') };
    expect(await mayAdaRead('9', core)).toBe(true);
    await register('9');
    expect(await mayAdaRead('9', core)).toBe(false);
    await post('resources/update', { type: 'document', resourceId: '9', ...core });
    expect(await mayAdaRead('9')).toBe(true);
    await post('resources/remove', { type: 'document', resourceId: '9' });
    expect(await mayAdaRead('9')).toBe(false);
  });
});

// Threat: a rule registered for a team would make what is granted within that team a right over every trust rule.
describe('what was registered under a name that the platform has taken since', () => {
  it('counts in no decision, and nothing more of it can be registered', async () => {
    const { organizationId } = tenant;
    const row = {
      org_id: organizationId,
      managed_by: 'api' as const,
      created_at: new Date(),
      updated_at: new Date(),
    };
    await withOrg(admin.pool, organizationId, async (tx) => {
      await tx
        .insertInto('resource_type')
        .values({ ...row, name: 'trust_rule', description: '', actions: ['create'] })
        .execute();
      await tx
        .insertInto('resource')
        .values({
          ...row,
          resource_type: 'trust_rule',
          resource_id: '*',
          team_id: tenant.idOf('core'),
          owner: null,
          attributes: '{}',
        })
        .execute();
    });
    const found = await admin.deps.facts.find(
      organizationId,
      { type: 'user', id: tenant.idOf('ada') },
      { resource: { type: 'trust_rule', id: '*' } },
    );
    expect(found.resource).toBeNull();
    expect(found.resourceTypes).not.toContain('trust_rule');
    expect(await post('resources', { type: 'trust_rule', resourceId: 'rule_1' })).toMatchObject({
      status: 400,
    });
  });
});
