import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Operation } from '../../functions/admin/operation.ts';
import { operations } from '../../functions/admin/operations.ts';
import { requestExport } from '../../shared/audit/index.ts';
import { registerGitSource } from '../../shared/git-source/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { createTrustRule } from '../../shared/workload-identity/index.ts';
import { type AdminService, digestDatabase, startAdminService } from '../support/admin-service.ts';

type Tenant = Awaited<ReturnType<AdminService['seedTenant']>>;
type Victim = Tenant & { readonly ids: Readonly<Record<string, string>> };

let admin: AdminService;
let mine: Victim;
let theirs: Victim;
let idlerKey: string;
let platformIdlerKey: string;

beforeAll(async () => {
  admin = await startAdminService();
  mine = await seedVictim();
  theirs = await seedVictim();
  idlerKey = (await admin.apiKeys.issue(mine, 'idler')).text;
  platformIdlerKey = (await admin.apiKeys.issue(admin.platform, 'idler')).text;
});
afterAll(() => admin.close());

async function seedVictim(): Promise<Victim> {
  const tenant = await admin.seedTenant({
    serviceAccounts: ['target'],
    users: ['ada'],
    groups: { all: ['ada'] },
  });
  const key = await admin.apiKeys.issue(tenant, 'target');
  const requested = await requestExport(
    { ...admin.deps, store: admin.deps.stores.auditExport },
    {
      organizationId: tenant.organizationId,
      actor: { type: 'system', id: 'test' },
      from: new Date('2026-01-01T00:00:00Z'),
      to: new Date('2026-01-02T00:00:00Z'),
    },
  );
  invariant(requested.ok, 'no export');
  const source = await registerGitSource(
    { ...admin.deps, store: admin.deps.stores.gitSource, webhookSecrets: admin.deps.rings.webhookSecrets },
    { url: `https://git.test/${tenant.name}`, ref: 'main', actor: { type: 'system', id: 'test' } },
  );
  invariant(source.ok, 'no source');
  const trustRule = await createTrustRule(
    {
      ...admin.deps,
      store: admin.deps.stores.trustRule,
      serviceAccounts: admin.deps.stores.serviceAccount,
      internalIssuers: new Set(),
    },
    {
      organizationId: tenant.organizationId,
      serviceAccountId: serviceAccountId.require(tenant.idOf('target')),
      name: 'target',
      issuer: 'https://issuer.test',
      audience: 'https://token.test',
      subjectPattern: 'repo:acme/app:*',
      requiredClaims: [],
      tokenAgeSecondsMax: 600,
      tokenUse: 'once',
      scopes: undefined,
      jwks: undefined,
      actor: { type: 'system', id: 'test' },
    },
  );
  invariant(trustRule.ok, 'no trust rule');
  const ids = {
    trustRule: trustRule.value.id,
    serviceAccount: tenant.idOf('target'),
    key: key.key.id,
    export: requested.value.id,
    source: source.value.source.id,
    user: tenant.idOf('ada'),
    group: tenant.idOf('all'),
    path: 'events.ndjson',
    signingKey: 'x'.repeat(43),
    rotation: 'dkr_00000000000000000000000000',
  };
  return { ...tenant, ids };
}

function call(
  operation: Operation,
  options: { key?: string; org?: string; ids?: Readonly<Record<string, string>>; body?: unknown },
) {
  const path = operation.path.replaceAll(
    /\{(\w+)\}/g,
    (_text, name: string) => (name === 'org' ? options.org : (options.ids ?? mine.ids)[name]) ?? '',
  );
  const query = new URLSearchParams(operation.example.query).toString();
  return admin.request(operation.method, query === '' ? path : `${path}?${query}`, {
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(operation.method === 'post' ? { body: options.body ?? operation.example.body ?? {} } : {}),
  });
}

const ofOrganization = operations.filter(({ path }) => path.includes('{org}'));
const ofPlatform = operations.filter(
  ({ path, tenantPermission }) => !path.includes('{org}') && !tenantPermission,
);
const named = (list: readonly Operation[]) => list.map((operation) => [operation.id, operation] as const);
const withoutInstance = (json: Record<string, unknown>) => ({ ...json, instance: undefined });

it('has routes of both kinds to attack', () => {
  expect(ofOrganization.length).toBeGreaterThan(12);
  expect(ofPlatform.length).toBeGreaterThan(4);
});

describe('without a valid credential', () => {
  it.each(named(operations))('%s answers 401 with a challenge', async (_id, operation) => {
    const response = await call(operation, { org: mine.organizationId });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer realm=/);
  });

  it.each([
    ['malformed', 'Bearer uos_sa_test_x'],
    [
      'of an unknown key',
      'Bearer uos_sa_test_01kaaaaaaaaaaaaaaaaaaaaaaa_0000000000000000000000000000000000000000000AAAAAA',
    ],
    ['of two credentials', 'Bearer a, Bearer b'],
    ['of another scheme', 'Basic b3BlcmF0b3I6eA=='],
    ['of no credential', 'Bearer '],
  ])('a header %s answers like every other refusal', async (_what, authorization) => {
    const response = await admin.request('get', '/v1/organizations', { headers: { authorization } });
    expect(response.status).toBe(401);
    expect(response.json).toMatchObject({ code: 'credential.invalid', title: 'The credential is not valid' });
    expect(response.json).not.toHaveProperty('detail');
  });

  it('nothing about an organization is told, not even whether it exists', async () => {
    const known = await admin.request('get', `/v1/organizations/${mine.organizationId}`);
    const unknown = await admin.request('get', '/v1/organizations/nobody');
    expect(withoutInstance(known.json)).toEqual(withoutInstance(unknown.json));
  });
});

describe('with a credential that lacks the permission', () => {
  it.each(named(operations))('%s answers 403 and changes nothing', async (_id, operation) => {
    const before = await digestDatabase(admin.database.superuserUrl);
    const response = await call(operation, { key: idlerKey, org: mine.organizationId });
    expect([response.status, response.json.code]).toEqual([403, 'authorization.not_permitted']);
    expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
  });

  it.each(named(ofPlatform))(
    '%s is refused to a tenant that may do all a tenant can',
    async (_id, operation) => {
      const before = await digestDatabase(admin.database.superuserUrl);
      expect((await call(operation, { key: mine.key })).status).toBe(403);
      expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
    },
  );

  it('an account of the platform without a role does not learn which organizations exist', async () => {
    const known = await admin.request('get', `/v1/organizations/${mine.name}`, { key: platformIdlerKey });
    const unknown = await admin.request('get', '/v1/organizations/nobody', { key: platformIdlerKey });
    expect(known.status).toBe(403);
    expect(withoutInstance(unknown.json)).toEqual(withoutInstance(known.json));
  });
});

// Threat: identifiers of another tenant in the path, API1:2023.
describe('of another tenant', () => {
  describe.each(named(ofOrganization))('%s', (_id, operation) => {
    it('answers for the organization of another as for one that does not exist, and changes nothing', async () => {
      const before = await digestDatabase(admin.database.superuserUrl);
      const missing = await call(operation, {
        key: mine.key,
        org: 'org_01kaaaaaaaaaaaaaaaaaaaaaaa',
        ids: theirs.ids,
      });
      for (const org of [theirs.organizationId, theirs.name]) {
        const response = await call(operation, { key: mine.key, org, ids: theirs.ids });
        expect(response.status).toBe(404);
        expect(withoutInstance(response.json)).toEqual(withoutInstance(missing.json));
      }
      expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
    });
  });

  it.each(named(ofOrganization.filter(({ path }) => /\{(serviceAccount|key|export)\}/.test(path))))(
    '%s does not find the thing of another under the own organization',
    async (_id, operation) => {
      const before = await digestDatabase(admin.database.superuserUrl);
      const response = await call(operation, { key: mine.key, org: mine.organizationId, ids: theirs.ids });
      expect([response.status, response.json.code]).toEqual([404, 'resource.not_found']);
      expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
    },
  );

  // Threat: the cursor as a way around the filter.
  it.each([
    ['service-accounts', 'sa_7zzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['api-keys', 'key_7zzzzzzzzzzzzzzzzzzzzzzzzz'],
    ['members', 'usr_7zzzzzzzzzzzzzzzzzzzzzzzzz'],
  ])('a list of %s from any cursor shows own things only', async (list, cursor) => {
    const path = `/v1/organizations/${mine.organizationId}/${list}?limit=100&cursor=${cursor}`;
    const { text, json } = await admin.request('get', path, { key: mine.key });
    expect(json.items.length).toBeGreaterThan(0);
    for (const id of [...Object.values(theirs.ids), theirs.idOf('ada'), theirs.idOf('admin')])
      if (id !== 'events.ndjson') expect(text).not.toContain(id);
  });

  it('the operator of the platform reaches it', async () => {
    for (const org of [theirs.organizationId, theirs.name]) {
      const response = await admin.request('get', `/v1/organizations/${org}`, { key: admin.operatorKey });
      expect(response.json).toMatchObject({ id: theirs.organizationId });
    }
  });
});

describe('with a request that is not well formed', () => {
  const columns = [
    'org_id',
    'orgId',
    'organizationId',
    'id',
    'status',
    'managedBy',
    'managed_by',
    'createdAt',
    'createdBy',
  ];
  const writing = operations.filter(({ method }) => method === 'post');

  // Threat: mass assignment, API3:2023, and prototype pollution.
  it.each(named(writing))('%s refuses every field it does not know, by its path', async (_id, operation) => {
    const before = await digestDatabase(admin.database.superuserUrl);
    for (const field of [...columns, '__proto__', 'constructor']) {
      const example = JSON.stringify(operation.example.body ?? {});
      const body = example === '{}' ? `{"${field}":"x"}` : `${example.slice(0, -1)},"${field}":"x"}`;
      const response = await call(operation, { key: admin.operatorKey, org: mine.organizationId, body });
      expect(response.status).toBe(400);
      expect(response.json.errors).toContainEqual({ path: `body.${field}`, message: 'is not known' });
    }
    expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
  });

  it.each(named(operations))('%s refuses a query it does not know', async (_id, operation) => {
    const path = operation.path.replaceAll(/\{(\w+)\}/g, (_text, name: string) =>
      name === 'org' ? mine.organizationId : (mine.ids[name] ?? ''),
    );
    const response = await admin.request(operation.method, `${path}?org_id=${theirs.organizationId}`, {
      key: admin.operatorKey,
    });
    expect(response.json.errors).toContainEqual({ path: 'query.org_id', message: 'is not known' });
  });

  it.each([
    [
      'an id of another kind',
      'get',
      'service-accounts/key_01kaaaaaaaaaaaaaaaaaaaaaaa',
      undefined,
      'path.serviceAccount',
    ],
    ['an id that is none', 'get', 'service-accounts/1%20or%201=1', undefined, 'path.serviceAccount'],
    ['a page beyond the limit', 'get', 'api-keys?limit=101', undefined, 'query.limit'],
    ['a page of nothing', 'get', 'api-keys?limit=0', undefined, 'query.limit'],
    ['a repeated parameter', 'get', 'api-keys?limit=1&limit=2', undefined, 'query.limit'],
    [
      'a cursor of another kind',
      'get',
      'api-keys?cursor=sa_01kaaaaaaaaaaaaaaaaaaaaaaa',
      undefined,
      'query.cursor',
    ],
    ['a name that is none', 'post', 'service-accounts', { name: 'A B', displayName: 'x' }, 'body.name'],
    ['a missing field', 'post', 'service-accounts', { name: 'x' }, 'body.displayName'],
    ['a field of another type', 'post', 'service-accounts', { name: ['x'], displayName: 'x' }, 'body.name'],
    ['a body that is a list', 'post', 'service-accounts', '[]', 'body'],
    ['a body that is no JSON', 'post', 'service-accounts', '{"name":', 'body'],
    [
      'a direction override',
      'post',
      'service-accounts',
      { name: 'x', displayName: 'a\u202Eb' },
      'body.displayName',
    ],
    ['a line break', 'post', 'service-accounts', { name: 'x', displayName: 'a\nb' }, 'body.displayName'],
  ])('%s is refused with the path of the field', async (_what, method, path, body, field) => {
    const response = await admin.request(method, `/v1/organizations/${mine.organizationId}/${path}`, {
      key: mine.key,
      ...(body === undefined ? {} : { body }),
    });
    expect([response.status, response.json.code]).toEqual([400, 'request.malformed']);
    expect(response.json.errors.map((fault: { path: string }) => fault.path)).toContain(field);
  });

  it('a reference that is neither id nor name is refused', async () => {
    const response = await admin.request('get', '/v1/organizations/Org%2F..', { key: mine.key });
    expect([response.status, response.json.errors[0].path]).toEqual([400, 'path.org']);
  });

  it('a body of another content type is refused with 415', async () => {
    const response = await admin.request('post', '/v1/organizations', {
      key: admin.operatorKey,
      body: 'name=acme',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });
    expect(response.status).toBe(415);
  });

  it('a body over 64 KiB is refused with 413', async () => {
    const response = await admin.request('post', '/v1/organizations', {
      key: admin.operatorKey,
      body: { name: 'acme', displayName: 'x'.repeat(65_536) },
    });
    expect(response.status).toBe(413);
  });

  it.each(['/v1//organizations', '/V1/organizations', '/v1/organizations/', '/v1/nothing', '/'])(
    '%s is no route',
    async (path) => {
      const response = await admin.request('get', path, { key: admin.operatorKey });
      expect([response.status, response.json.code]).toEqual([404, 'request.route_unknown']);
    },
  );
});

describe('every answer', () => {
  it('is kept by nobody on the way, and names its request', async () => {
    for (const path of ['/v1/organizations', '/v1/organizations/nobody']) {
      const response = await admin.request('get', path, { key: mine.key });
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('x-request-id')).toMatch(/^req_/);
    }
  });

  it('is described: the document is served to everyone', async () => {
    const response = await admin.request('get', '/v1/openapi.json');
    expect(response.json.openapi).toBe('3.1.0');
    expect(Object.keys(response.json.paths)).toContain('/v1/organizations/{org}');
  });
});
