import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CheckedScopes,
  checkScopes,
  issuePersonalApiKey,
  policyOwnerRights,
  userId,
} from '../../shared/api-key/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { invariant } from '../../shared/kernel/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;
let home: string;

beforeAll(async () => {
  admin = await startAdminService();
  tenant = await admin.seedTenant({
    users: ['ada', 'eve'],
    serviceAccounts: ['ci', 'reader', 'limited'],
    teams: { core: { members: ['reader'] } },
    roles: { reading: ['document:read'], writing: ['folder:write'] },
    bindings: [
      { role: 'OrgAdmin', subject: 'ada' },
      { role: 'Member', subject: 'eve' },
      { role: 'reading', subject: 'core', at: { team: 'core' } },
      { role: 'writing', subject: 'reader', at: { resource: 'folder:7' } },
      { role: 'reading', subject: 'limited' },
      { role: 'reading', subject: 'limited', effect: 'deny' },
    ],
  });
  home = `/v1/organizations/${tenant.organizationId}`;
});
afterAll(() => admin.close());

const post = (path: string, body: unknown, key = tenant.key, headers = {}) =>
  admin.request('post', path, { key, body, headers });
const get = (path: string, key = tenant.key) => admin.request('get', path, { key });
const issueFor = (account: string, body: object) =>
  post(`${home}/service-accounts/${tenant.idOf(account)}/api-keys`, { description: 'x', ...body });
const issue = async (body: object = {}) => (await issueFor('ci', body)).json;

async function eventsAbout(subject: string) {
  const rows = await withOrg(admin.pool, tenant.organizationId, (tx) =>
    tx.selectFrom('audit_event').select(['type', 'leaf']).where('subject', '=', subject).execute(),
  );
  return rows.map(({ type, leaf }) => ({ type, data: JSON.parse(leaf).data }));
}

/** Through the use case: who has no login yet cannot ask for the first one himself. */
async function personalKey(user: string, scopes: readonly string[]): Promise<string> {
  const actor = { type: 'user', id: userId.require(tenant.idOf(user)) } as const;
  const { organizationId } = tenant;
  const rights = policyOwnerRights(admin.deps);
  const checked = await checkScopes(rights, { organizationId, owner: actor, scopes });
  invariant(checked.ok, 'scopes are beyond the rights of their owner');
  const issued = await issuePersonalApiKey(
    { ...admin.deps, store: admin.deps.stores.apiKey, pepper: admin.deps.rings.pepper },
    { organizationId, actor, scopes: checked.value, description: 'x', environment: 'test' },
  );
  invariant(issued.ok, 'no personal key');
  return issued.value.text;
}

describe('issuing', () => {
  it('keeps what the key is for and bound to, and shows its text once', async () => {
    const body = {
      reason: 'ticket 7',
      labels: { team: 'core' },
      scopes: ['organization:*'],
      allowedNetworks: ['192.0.2.7', '2001:DB8:0::/32'],
      expiresAt: '2099-01-01T00:00:00.000Z',
    };
    const { text, ...shown } = await issue(body);
    expect(text).toMatch(/^uos_sa_live_/);
    expect(shown).toMatchObject({ ...body, allowedNetworks: ['192.0.2.7/32', '2001:db8::/32'] });
    const { json } = await get(`${home}/api-keys?fingerprint=${encodeURIComponent(shown.fingerprint)}`);
    expect(json.items).toEqual([shown]);
    const [event] = await eventsAbout(shown.id);
    expect(event).toMatchObject({
      type: 'uos.api-key.issued.v1',
      data: { scopes: ['organization:*'], allowedNetworks: 2, reason: 'ticket 7' },
    });
    expect(JSON.stringify(event)).not.toContain('192.0.2');
  });

  it('refuses the scopes that the owner holds nowhere, and names each', async () => {
    const scopes = ['document:read', 'document:delete', 'folder:write', 'folder:read', 'invoice:pay'];
    const refused = await issueFor('reader', { scopes });
    expect(refused.status).toBe(422);
    expect(refused.json).toMatchObject({
      code: 'scope.beyond_rights',
      scopes: ['document:delete', 'folder:read', 'invoice:pay'],
    });
  });

  it('counts a right that is held in one team or on one resource as held', async () => {
    expect((await issueFor('reader', { scopes: ['document:read', 'folder:write'] })).status).toBe(201);
  });

  it('counts a right that is denied everywhere as not held', async () => {
    const refused = await issueFor('limited', { scopes: ['document:read'] });
    expect(refused.json).toMatchObject({ scopes: ['document:read'] });
  });

  it('says of an account that has expired that there is none, with scopes as without', async () => {
    const created = await post(`${home}/service-accounts`, { name: 'past', displayName: 'Past' });
    await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx
        .updateTable('service_account')
        .set({ expires_at: new Date(0) })
        .where('service_account_id', '=', created.json.id)
        .execute(),
    );
    for (const body of [{}, { scopes: ['document:read'] }]) {
      const asked = { description: 'x', ...body };
      expect((await post(`${home}/service-accounts/${created.json.id}/api-keys`, asked)).status).toBe(404);
    }
  });

  it('says of a suspended organization that it is suspended, and not that its owner holds nothing', async () => {
    const other = await admin.seedTenant();
    await withOrg(admin.pool, other.organizationId, (tx) =>
      tx.updateTable('organization').set({ status: 'suspended' }).execute(),
    );
    const path = `/v1/organizations/${other.organizationId}/service-accounts/${other.idOf('admin')}/api-keys`;
    for (const body of [{}, { scopes: ['document:read'] }]) {
      expect(await post(path, { description: 'x', ...body }, admin.operatorKey)).toMatchObject({
        status: 409,
        json: { detail: 'The organization is suspended' },
      });
    }
  });

  it('takes a pattern from anyone, since it can only narrow', async () => {
    expect((await issueFor('reader', { scopes: ['invoice:*', '*:*'] })).status).toBe(201);
  });

  // Threat: a narrowed credential makes itself a wider one.
  it('gives a narrowed caller nothing wider than what it has', async () => {
    const account = tenant.idOf('admin');
    const path = `${home}/service-accounts/${account}/api-keys`;
    const { json: narrow } = await post(path, { description: 'x', scopes: ['api_key:*', 'team:read'] });
    const ask = (body: object) => post(path, { description: 'x', ...body }, narrow.text);
    expect(await ask({})).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
    expect(await ask({ scopes: ['team:read', 'team:update'] })).toMatchObject({
      status: 422,
      json: { scopes: ['team:update'] },
    });
    expect((await ask({ scopes: ['team:read', 'api_key:issue'] })).status).toBe(201);
    const wide = await issue();
    const rotated = await post(`${home}/api-keys/${wide.id}/rotate`, {}, narrow.text);
    expect(rotated).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
  });

  // Threat: a credential stolen inside a network, or a day before its end, makes itself one without those bounds.
  it.each([
    ['networks', { allowedNetworks: ['127.0.0.0/8', '10.0.0.0/8'] }, { allowedNetworks: ['127.0.0.1/32'] }],
    ['an end', { expiresAt: '2098-01-01T00:00:00.000Z' }, { expiresAt: '2097-12-31T00:00:00.000Z' }],
  ])(
    'gives a caller that is bound to %s nothing that is not, by its key or by rotation',
    async (_, own, within) => {
      const path = `${home}/service-accounts/${tenant.idOf('admin')}/api-keys`;
      const bound = (await post(path, { description: 'x', ...own })).json;
      const ask = (body: object) => post(path, { description: 'x', ...body }, bound.text);
      const rotate = (id: string) => post(`${home}/api-keys/${id}/rotate`, {}, bound.text);
      const wider = { allowedNetworks: ['0.0.0.0/0'], expiresAt: '2099-01-01T00:00:00.000Z' };
      for (const body of [{}, wider])
        expect(await ask(body)).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
      expect(await ask(within)).toMatchObject({ status: 201, json: within });
      const unbound = (await post(path, { description: 'x' })).json;
      expect(await rotate(unbound.id)).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
      expect((await rotate(bound.id)).status).toBe(201);
      await post(`${home}/api-keys/${unbound.id}/disable`, {});
      const enabled = await post(`${home}/api-keys/${unbound.id}/enable`, {}, bound.text);
      expect(enabled).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
      const repeat = (key: string) =>
        post(path, { description: 'x' }, key, { 'idempotency-key': `of-${bound.id}` });
      expect((await repeat(tenant.key)).status).toBe(201);
      expect((await repeat(bound.text)).status).toBe(422);
    },
  );

  it.each([
    ['networks that are none', { allowedNetworks: ['10.0.0.0/8', 'example.com'] }, 'body.allowedNetworks.1'],
    ['a network with bits beyond its prefix', { allowedNetworks: ['10.0.0.1/8'] }, 'body.allowedNetworks.0'],
    ['no network at all', { allowedNetworks: [] }, 'body.allowedNetworks'],
    ['no scope at all', { scopes: [] }, 'body.scopes'],
    ['a scope of another form', { scopes: ['document'] }, 'body.scopes.0'],
    ['a scope of all types', { scopes: ['*:read'] }, 'body.scopes.0'],
    ['an expiry in the past', { expiresAt: '2020-01-01T00:00:00Z' }, 'body.expiresAt'],
    ['a label with a space', { labels: { team: 'a b' } }, 'body.labels.team'],
  ])('refuses %s by its path', async (_, body, path) => {
    const refused = await issueFor('ci', body);
    expect(refused.status).toBe(400);
    expect(refused.json.errors).toMatchObject([{ path }]);
  });
});

describe('a personal key', () => {
  it('acts as its owner, within its scopes', async () => {
    const key = await personalKey('ada', ['service_account:*']);
    expect(key).toMatch(/^uos_pk_test_/);
    const created = await post(`${home}/service-accounts`, { name: 'made', displayName: 'Made' }, key);
    expect(created.status).toBe(201);
    const [event] = await eventsAbout(created.json.id);
    expect(event?.data.actor).toEqual({ type: 'user', id: tenant.idOf('ada') });
    expect((await get(`${home}/api-keys`, key)).status).toBe(403);
  });

  it('has no right that its owner has lost, nor any once its owner is disabled', async () => {
    const { organizationId } = tenant;
    const key = await personalKey('eve', ['organization:read']);
    expect((await get(home, key)).status).toBe(200);
    const eve = { user: tenant.idOf('eve') };
    await withOrg(admin.pool, organizationId, (tx) =>
      tx.updateTable('membership').set({ status: 'disabled' }).where('user_id', '=', eve.user).execute(),
    );
    expect((await get(home, key)).status).toBe(401);
    await withOrg(admin.pool, organizationId, async (tx) => {
      await tx.updateTable('membership').set({ status: 'active' }).where('user_id', '=', eve.user).execute();
      await tx
        .updateTable('role_binding')
        .set({ expires_at: new Date(0) })
        .where('subject_id', '=', eve.user)
        .execute();
    });
    expect((await get(home, key)).status).toBe(403);
  });

  it('is issued by its owner alone, within the scopes of the credential that asks', async () => {
    const path = `${home}/personal-api-keys`;
    const body = { description: 'x', scopes: ['organization:read'] };
    expect((await post(path, body)).status).toBe(403);
    const key = await personalKey('ada', ['personal_api_key:issue', 'organization:read']);
    const issued = await post(path, body, key);
    expect(issued).toMatchObject({ status: 201, json: { userId: tenant.idOf('ada') } });
    expect((await post(path, { ...body, scopes: ['*:*'] }, key)).status).toBe(422);
    expect((await post(path, { description: 'x' }, key)).status).toBe(400);
    expect((await post(path, { ...body, userId: tenant.idOf('eve') }, key)).status).toBe(400);
    const listed = await get(`${home}/api-keys?user=${tenant.idOf('ada')}`);
    expect(listed.json.items[0]).toMatchObject({ id: issued.json.id });
  });

  // Threat: an administrator who rotates it would hold a key that acts as somebody else.
  it('is rotated by nobody but its owner, and revoked by an administrator too', async () => {
    const key = await personalKey('ada', ['api_key:*', 'organization:read']);
    const { json } = await get(`${home}/api-keys?user=${tenant.idOf('ada')}`);
    const path = `${home}/api-keys/${json.items[0].id}`;
    expect((await post(`${path}/rotate`, {})).status).toBe(403);
    expect((await post(`${path}/rotate`, {}, key)).status).toBe(201);
    expect((await post(`${path}/revoke`, {})).status).toBe(200);
    expect((await get(home, key)).status).toBe(401);
  });

  it('cannot be without scopes, whoever writes the row', async () => {
    const scopes = undefined as unknown as CheckedScopes;
    const actor = { type: 'user', id: userId.require(tenant.idOf('ada')) } as const;
    const { organizationId } = tenant;
    const refused = issuePersonalApiKey(
      { ...admin.deps, store: admin.deps.stores.apiKey, pepper: admin.deps.rings.pepper },
      { organizationId, actor, scopes, description: 'x', environment: 'test' },
    );
    await expect(refused).rejects.toThrow('api_key_personal_is_scoped');
  });
});

describe('the life of a key', () => {
  it('is refused while disabled and works again once enabled, each recorded once', async () => {
    const { id, text } = await issueFor('admin', {}).then(({ json }) => json);
    const change = (verb: string) => post(`${home}/api-keys/${id}/${verb}`, { reason: 'drill' });
    expect((await get(home, text)).status).toBe(200);
    for (const _ of [1, 2]) expect((await change('disable')).json).toMatchObject({ status: 'disabled' });
    expect((await get(home, text)).status).toBe(401);
    for (const _ of [1, 2]) expect((await change('enable')).json).toMatchObject({ status: 'active' });
    expect((await get(home, text)).status).toBe(200);
    await change('revoke');
    expect((await change('enable')).status).toBe(409);
    expect((await change('disable')).status).toBe(409);
    expect((await eventsAbout(id)).map(({ type }) => type)).toEqual([
      'uos.api-key.issued.v1',
      'uos.api-key.disabled.v1',
      'uos.api-key.enabled.v1',
      'uos.api-key.revoked.v1',
    ]);
  });

  it('has two live secrets for the overlap, of which each tells itself by its fingerprint', async () => {
    const { json: first } = await issueFor('admin', { scopes: ['organization:read'] });
    const rotate = (body: object) => post(`${home}/api-keys/${first.id}/rotate`, body);
    const second = (await rotate({ overlapSeconds: 60 })).json;
    expect(second).toMatchObject({ id: first.id, scopes: first.scopes });
    expect(second.fingerprint).not.toBe(first.fingerprint);
    for (const { text } of [first, second]) expect((await get(home, text)).status).toBe(200);
    expect(await rotate({})).toMatchObject({ status: 409, json: { code: 'resource.conflict' } });
    const third = (await rotate({ overlapSeconds: 0 })).json;
    for (const { text } of [first, second]) expect((await get(home, text)).status).toBe(401);
    expect((await get(home, third.text)).status).toBe(200);
    expect(third.previousSecretUntil).toBeUndefined();
    const last = (await eventsAbout(first.id)).at(-1);
    expect(last).toMatchObject({
      type: 'uos.api-key.rotated.v1',
      data: { fingerprint: third.fingerprint, previousFingerprint: second.fingerprint },
    });
  });

  // Threat: a rotation that nobody gave a second thought makes a live key of a test key.
  it('stays in its environment through every rotation, and shows it', async () => {
    for (const environment of ['test', 'live']) {
      const issued = await issue({ environment });
      const rotate = (body: object) =>
        post(`${home}/api-keys/${issued.id}/rotate`, { overlapSeconds: 0, ...body });
      for (const body of [{}, { environment }]) {
        const { json } = await rotate(body);
        expect(json).toMatchObject({ environment });
        expect(json.text).toMatch(new RegExp(`^uos_sa_${environment}_`));
      }
      const refused = await rotate({ environment: environment === 'test' ? 'live' : 'test' });
      expect(refused).toMatchObject({ status: 400, json: { errors: [{ path: 'body.environment' }] } });
      const { json } = await get(`${home}/api-keys?fingerprint=${issued.id}`);
      expect(json.items).toMatchObject([{ environment }]);
    }
  });

  it('takes the environment it is given when it is from before that was kept', async () => {
    const { id } = await issue();
    await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx.updateTable('api_key').set({ environment: null }).where('key_id', '=', id).execute(),
    );
    const { json } = await post(`${home}/api-keys/${id}/rotate`, { environment: 'test' });
    expect(json.text).toMatch(/^uos_sa_test_/);
  });

  it('overlaps for a day when nothing else is said, and for 30 at most', async () => {
    const { id } = await issue();
    const rotate = (body: object) => post(`${home}/api-keys/${id}/rotate`, body);
    expect((await rotate({ overlapSeconds: 30 * 86_400 + 1 })).status).toBe(400);
    const before = Date.now();
    const until = Date.parse((await rotate({})).json.previousSecretUntil);
    expect(Math.round((until - before) / 3_600_000)).toBe(24);
  });

  it('shows a retry of a rotation the same secret', async () => {
    const { id } = await issue();
    const rotate = () =>
      post(`${home}/api-keys/${id}/rotate`, {}, tenant.key, {
        'idempotency-key': `rotate ${id}`.replace(' ', '-'),
      });
    const [one, again] = [await rotate(), await rotate()];
    expect(again.json).toEqual(one.json);
  });
});

describe('finding and revoking many', () => {
  it('finds by label, and by owner', async () => {
    const { id } = await issue({ labels: { team: 'found', env: 'prod' } });
    const found = async (query: string) => (await get(`${home}/api-keys?${query}`)).json.items;
    expect(await found('label=team%3Dfound%2Cenv%3Dprod')).toMatchObject([{ id }]);
    expect(await found('label=team%3Dfound%2Cenv%3Dtest')).toEqual([]);
    expect((await get(`${home}/api-keys?label=team`)).status).toBe(400);
    expect((await get(`${home}/api-keys?fingerprint=abcd`)).status).toBe(400);
  });

  it('finds a key by the fingerprint of any of its secrets, as the trail has it', async () => {
    const first = await issue();
    const rotated = (await post(`${home}/api-keys/${first.id}/rotate`, {})).json;
    for (const { fingerprint } of [first, rotated]) {
      const { json } = await get(`${home}/api-keys?fingerprint=${encodeURIComponent(fingerprint)}`);
      expect(json.items).toMatchObject([{ id: first.id, fingerprint: rotated.fingerprint }]);
    }
  });

  it('revokes by label, so many at a time, each with its event, until there are no more', async () => {
    const ids = [];
    for (const _ of [1, 2, 3]) ids.push((await issue({ labels: { batch: 'b1' } })).id);
    const other = await issue({ labels: { batch: 'b2' } });
    const revoke = () =>
      post(`${home}/api-keys/revoke`, { labels: { batch: 'b1' }, limit: 2, reason: 'leak' });
    expect((await revoke()).json).toMatchObject({ revoked: { length: 2 }, hasMore: true });
    expect((await revoke()).json).toMatchObject({ revoked: { length: 1 }, hasMore: false });
    expect((await revoke()).json).toEqual({ revoked: [], hasMore: false });
    for (const id of ids)
      expect((await eventsAbout(id)).at(-1)).toMatchObject({
        type: 'uos.api-key.revoked.v1',
        data: { reason: 'leak' },
      });
    const { json } = await get(`${home}/api-keys?fingerprint=${other.id}`);
    expect(json.items).toMatchObject([{ status: 'active' }]);
  });

  it('records each key once, however many revoke at the same time', async () => {
    const ids = [];
    for (const _ of [1, 2, 3, 4, 5]) ids.push((await issue({ labels: { batch: 'b3' } })).id);
    const revoke = () => post(`${home}/api-keys/revoke`, { labels: { batch: 'b3' }, limit: 2 });
    while ((await Promise.all([revoke(), revoke(), revoke()])).some(({ json }) => json.hasMore));
    for (const id of ids) {
      const types = (await eventsAbout(id)).map(({ type }) => type);
      expect(types).toEqual(['uos.api-key.issued.v1', 'uos.api-key.revoked.v1']);
    }
  });

  it('revokes by owner and by age', async () => {
    const account = await admin.request('post', `${home}/service-accounts`, {
      key: tenant.key,
      body: { name: 'leaver', displayName: 'Leaver' },
    });
    const path = `${home}/service-accounts/${account.json.id}/api-keys`;
    await post(path, { description: 'x' });
    const revoke = (body: object) =>
      post(`${home}/api-keys/revoke`, { serviceAccountId: account.json.id, ...body });
    expect((await revoke({ createdBefore: '2020-01-01T00:00:00Z' })).json.revoked).toEqual([]);
    expect((await revoke({})).json.revoked).toHaveLength(1);
  });

  // Threat: a request that lost its criteria on the way revokes everything.
  it.each([[{}], [{ labels: {} }], [{ reason: 'x' }]])('refuses %j, which is every key', async (body) => {
    expect((await post(`${home}/api-keys/revoke`, body)).status).toBe(400);
  });
});
