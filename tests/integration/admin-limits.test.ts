import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AdminService, startAdminService } from '../support/admin-service.ts';

/** So slow that nothing comes back while a test runs. */
const standstill = (burst: number) => ({ ratePerSecond: 0.001, burst });

let admin: AdminService;
const start = async (limits: Parameters<typeof startAdminService>[0]) => {
  admin = await startAdminService(limits);
};
const ask = (key?: string) => admin.request('GET', '/v1/organizations', key === undefined ? {} : { key });
const statusesOf = async (times: number, key?: string) => {
  const answers = await Promise.all(Array.from({ length: times }, () => ask(key)));
  return answers.map(({ status }) => status).sort();
};
const times = (count: number, status: number) => Array<number>(count).fill(status);

describe('an address that fails too often', () => {
  beforeAll(() => start({ limits: { failures: standstill(5) } }));
  afterAll(() => admin.close());

  // Threat: credential stuffing, which asks for a look-up with each attempt; also all at once.
  test('is refused before its credential is looked at, the good one too, and told when to come back', async () => {
    expect(await statusesOf(12, 'uos_wrong')).toEqual([...times(5, 401), ...times(7, 429)]);
    const refused = await ask(admin.operatorKey);
    expect(refused).toMatchObject({ status: 429, json: { code: 'rate_limit.exceeded' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});

describe('an address that does not fail', () => {
  beforeAll(() => start({ limits: { failures: standstill(5) } }));
  afterAll(() => admin.close());

  test('may ask as often as it likes, and so may one that shows no credential', async () => {
    for (let n = 0; n < 20; n++) expect((await ask(admin.operatorKey)).status).toBe(200);
    for (let n = 0; n < 20; n++) expect((await ask()).status).toBe(401);
    expect((await ask(admin.operatorKey)).status).toBe(200);
  });
});

describe('a caller', () => {
  beforeAll(() => start({ limits: { keys: standstill(4), callers: standstill(6) } }));
  afterAll(() => admin.close());

  test('has a limit for each of its keys, one for all of them, and neither is felt by another', async () => {
    const tenant = await admin.seedTenant();
    const second = (await admin.apiKeys.issue(tenant, 'admin')).text;
    const idler = (await admin.apiKeys.issue(tenant, 'idler')).text;
    const path = `/v1/organizations/${tenant.organizationId}`;
    const statuses = async (key: string, count: number) => {
      const answers: number[] = [];
      for (let n = 0; n < count; n++) answers.push((await admin.request('GET', path, { key })).status);
      return answers;
    };
    expect(await statuses(tenant.key, 5)).toEqual([...times(4, 200), 429]);
    // Of six for the caller, four went to its first key.
    expect(await statuses(second, 3)).toEqual([...times(2, 200), 429]);
    expect(await statuses(idler, 1)).not.toEqual([429]);
  });
});
