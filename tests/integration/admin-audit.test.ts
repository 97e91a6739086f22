import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportPrefixOf } from '../../shared/audit/index.ts';
import { openPool, withOrg } from '../../shared/db/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

type Tenant = Awaited<ReturnType<AdminService['seedTenant']>>;

let admin: AdminService;
let tenant: Tenant;
let other: Tenant;
let home: string;

beforeAll(async () => {
  admin = await startAdminService();
  tenant = await admin.seedTenant({ serviceAccounts: ['ci'] });
  other = await admin.seedTenant();
  home = `/v1/organizations/${tenant.organizationId}/audit`;
});
afterAll(() => admin.close());

const year = { from: '2020-01-01T00:00:00Z', to: '2020-01-31T00:00:00Z' };
const request = (body: unknown) => admin.request('post', `${home}/exports`, { ...tenant, body });

/** What audit-export does when it has written the files. */
async function makeReady(exportId: string, files: Readonly<Record<string, string>>): Promise<void> {
  const prefix = exportPrefixOf({ organizationId: tenant.organizationId, id: exportId as never });
  for (const [path, text] of Object.entries(files))
    await admin.objects.put(prefix + path, Buffer.from(text), { contentType: 'text/plain' });
  const pool = openPool({ url: admin.database.logUrl, applicationName: 'test-export' });
  await withOrg(pool, tenant.organizationId, (tx) =>
    tx
      .updateTable('audit_export')
      .set({ status: 'ready', object_prefix: prefix, events: 1, finished_at: new Date() })
      .where('export_id', '=', exportId)
      .execute(),
  );
  await pool.close();
}

describe('the audit trail', () => {
  it('is read newest first, page by page, each event once and byte for byte', async () => {
    const issued = await admin.apiKeys.issue(tenant, 'ci');
    const path = `${home}/events?subject=${issued.key.id}&limit=1`;
    await admin.request('post', `/v1/organizations/${tenant.name}/api-keys/${issued.key.id}/revoke`, tenant);
    const first = await admin.request('get', path, tenant);
    const second = await admin.request('get', `${path}&cursor=${first.json.nextCursor}`, tenant);
    const types = [...first.json.items, ...second.json.items].map(({ type }) => type);
    expect(types).toEqual(['uos.api-key.revoked.v1', 'uos.api-key.issued.v1']);
    expect(second.json).not.toHaveProperty('nextCursor');
    const stored = await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx.selectFrom('audit_event').select('leaf').where('subject', '=', issued.key.id).execute(),
    );
    expect(stored.map(({ leaf }) => leaf)).toContain(first.json.items[0].leaf);
  });

  it('records who read it, before it is shown', async () => {
    const path = `${home}/events?subject=${tenant.organizationId}`;
    const before = (await admin.request('get', path, tenant)).json.items.length;
    const { json } = await admin.request('get', path, tenant);
    expect(json.items.length).toBe(before + 1);
    expect(json.items[0]).toMatchObject({
      type: 'uos.audit-trail.read.v1',
      actor: { type: 'service_account', id: tenant.idOf('admin') },
    });
  });

  it('of another is not in it, whatever subject or cursor is asked for', async () => {
    const key = await admin.apiKeys.issue(other, 'admin');
    const { json } = await admin.request('get', `${home}/events?subject=${key.key.id}`, tenant);
    expect(json.items).toEqual([]);
  });
});

describe('an export', () => {
  it('is accepted with the address to ask, and asks audit-export for the work', async () => {
    const { status, json, headers } = await request(year);
    expect([status, json.status]).toEqual([202, 'requested']);
    expect(headers.get('location')).toBe(`${home}/exports/${json.id}`);
    expect((await admin.request('get', headers.get('location') ?? '', tenant)).json).toEqual(json);
    const relay = openPool({ url: admin.database.relayUrl, applicationName: 'test-relay' });
    const topics = await withOrg(relay, tenant.organizationId, (tx) =>
      tx.selectFrom('outbox').select('topic').where('payload', 'like', `%${json.id}%`).execute(),
    );
    await relay.close();
    expect(topics.map(({ topic }) => topic).sort()).toEqual(['audit-export.requested', 'audit.identity']);
  });

  it.each([
    ['ends before it begins', { from: year.to, to: year.from }],
    ['lies in the future', { from: '2999-01-01T00:00:00Z', to: '2999-01-02T00:00:00Z' }],
    ['is longer than 31 days', { from: year.from, to: '2020-03-01T00:00:00Z' }],
  ])('of a window that %s is refused', async (_what, body) => {
    const { status, json } = await request(body);
    expect([status, json.errors[0].path]).toEqual([400, 'body.to']);
  });

  it('that is ready lists its files and gives each as it was written', async () => {
    const { json } = await request(year);
    const address = `${home}/exports/${json.id}`;
    const files = { 'events.ndjson': '{"id":"evt"}\n', 'log/tile/0/000.p/1': 'tile', 'README.md': '<b>' };
    expect((await admin.request('get', `${address}/files/events.ndjson`, tenant)).status).toBe(404);
    await makeReady(json.id, files);
    const ready = await admin.request('get', address, tenant);
    expect(ready.json).toMatchObject({ status: 'ready', events: 1 });
    expect(ready.json.files.sort()).toEqual(Object.keys(files).sort());
    for (const [path, text] of Object.entries(files)) {
      const file = await admin.request('get', `${address}/files/${path}`, tenant);
      expect([file.status, file.text]).toEqual([200, text]);
      // Threat: text that others wrote, run by a browser.
      expect(file.headers.get('content-disposition')).toBe('attachment');
      expect(file.headers.get('x-content-type-options')).toBe('nosniff');
    }
    const ndjson = await admin.request('get', `${address}/files/events.ndjson`, tenant);
    expect(ndjson.headers.get('content-type')).toBe('application/x-ndjson');
    const absent = await admin.request('get', `${address}/files/absent.json`, tenant);
    expect([absent.status, absent.json.code]).toEqual([404, 'resource.not_found']);
  });

  it('gives no file but its own', async () => {
    const { json } = await request(year);
    await makeReady(json.id, { 'events.ndjson': 'mine' });
    await admin.objects.put(`exports/${other.organizationId}/secret.ndjson`, Buffer.from('theirs'), {
      contentType: 'text/plain',
    });
    for (const path of [
      `../../${other.organizationId}/secret.ndjson`,
      `%2e%2e/%2e%2e/${other.organizationId}/secret.ndjson`,
      `..%2f..%2f${other.organizationId}%2fsecret.ndjson`,
      `a/%2e%2e/%2e%2e/%2e%2e/${other.organizationId}/secret.ndjson`,
      `..%5c..%5c${other.organizationId}%5csecret.ndjson`,
      `%252e%252e%252f${other.organizationId}`,
      '%00',
      '',
    ]) {
      const { status, text } = await admin.request('get', `${home}/exports/${json.id}/files/${path}`, tenant);
      expect([400, 404]).toContain(status);
      expect(text).not.toContain('theirs');
    }
  });

  it('of another organization is not found, nor are its files', async () => {
    const { json } = await request(year);
    await makeReady(json.id, { 'events.ndjson': 'mine' });
    for (const org of [tenant.organizationId, tenant.name, other.organizationId])
      for (const path of ['', '/files/events.ndjson']) {
        const address = `/v1/organizations/${org}/audit/exports/${json.id}${path}`;
        const { status, text } = await admin.request('get', address, other);
        expect(status).toBe(404);
        expect(text).not.toContain('mine');
      }
  });
});
