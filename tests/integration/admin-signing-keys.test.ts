import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rotateSigningKeys } from '../../shared/signing-key/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

let admin: AdminService;

beforeAll(async () => {
  admin = await startAdminService();
  const rotated = await rotateSigningKeys({
    ...admin.deps,
    store: admin.deps.stores.signingKey,
    ring: admin.deps.rings.signingKeys,
    policy: {
      algorithms: ['ES256', 'EdDSA'],
      intervalSeconds: 86_400,
      publishLeadSeconds: 600,
      tokenTtlSecondsMax: 300,
      jwksMaxAgeSeconds: 300,
    },
  });
  expect(rotated.ok).toBe(true);
});

afterAll(() => admin.close());

type View = { id: string; algorithm: string; isSigning: boolean };

async function listKeys(): Promise<View[]> {
  return (await admin.request('get', '/v1/signing-keys', { key: admin.operatorKey })).json.items;
}

const revoke = (id: string, key: string, body: unknown = {}) =>
  admin.request('post', `/v1/signing-keys/${id}/revoke`, { key, body });

describe('revokeSigningKey', () => {
  test('withdraws the key, shows the one that signs instead, and repeats its answer', async () => {
    const [leaked] = (await listKeys()).filter(({ algorithm }) => algorithm === 'EdDSA');
    const id = leaked?.id ?? '';
    const first = await revoke(id, admin.operatorKey, { reason: 'It was in a core dump' });
    expect([first.status, first.json]).toEqual([
      200,
      { id, algorithm: 'EdDSA', revokedAt: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    expect((await revoke(id, admin.operatorKey)).json).toEqual(first.json);
    const left = await listKeys();
    expect(left.map(({ algorithm, isSigning }) => [algorithm, isSigning]).sort()).toEqual([
      ['ES256', true],
      ['EdDSA', true],
    ]);
    expect(left.map((key) => key.id)).not.toContain(id);
  });

  test('of a key that nobody published is 404', async () => {
    const { status, json } = await revoke('x'.repeat(43), admin.operatorKey);
    expect([status, json.code]).toEqual([404, 'resource.not_found']);
  });

  // Threat: whoever owns a tenant takes the platform's signing keys away, and with them everybody's tokens.
  test('is for operators of the platform alone', async () => {
    const tenant = await admin.seedTenant();
    const before = await listKeys();
    for (const { id } of before) expect((await revoke(id, tenant.key)).status).toBe(403);
    expect(await listKeys()).toEqual(before);
  });
});
