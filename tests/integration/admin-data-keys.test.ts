import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withOrg } from '../../shared/db/index.ts';
import { platformOrganizationId } from '../../shared/organization/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;
beforeAll(async () => {
  admin = await startAdminService();
});
afterAll(() => admin.close());

const path = '/v1/data-key-rotations';
const post = (body: unknown, key = admin.operatorKey) => admin.request('POST', path, { key, body });
const get = (at: string) => admin.request('GET', at, { key: admin.operatorKey });

describe('a data-key rotation', () => {
  it('is asked for, listed and read with its progress', async () => {
    const asked = await post({ purpose: 'api-key-pepper' });
    expect(asked.status).toBe(202);
    expect(asked.json).toMatchObject({
      purpose: 'api-key-pepper',
      status: 'requested',
      rows: { total: 0, done: 0, unreadable: 0 },
      requestedBy: admin.platform.idOf('operator'),
    });
    expect((await get(path)).json).toEqual({ items: [asked.json] });
    expect((await get(`${path}/${asked.json.id}`)).json).toEqual(asked.json);
    const wakes = await withOrg(admin.pool, platformOrganizationId, (tx) =>
      tx.selectFrom('audit_event').select('type').where('subject', '=', asked.json.id).execute(),
    );
    expect(wakes).toEqual([{ type: 'uos.data-key.rotation-requested.v1' }]);
  });

  it('is refused while one of the purpose is open', async () => {
    await post({ purpose: 'git-source' });
    expect((await post({ purpose: 'git-source' })).status).toBe(409);
  });

  it('is not to be had of a purpose that has none, nor by a tenant', async () => {
    expect((await post({ purpose: 'decision-mask' })).status).toBe(400);
    const tenant = await admin.seedTenant();
    expect((await post({ purpose: 'oidc-record' }, tenant.key)).status).toBe(403);
  });

  it('that nobody asked for is not found', async () => {
    expect((await get(`${path}/dkr_00000000000000000000000000`)).status).toBe(404);
  });
});
