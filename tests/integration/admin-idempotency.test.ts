import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openPool, withOrg } from '../../shared/db/index.ts';
import { postgresIdempotencyRecordStore } from '../../shared/idempotency/idempotency-record-store.postgres.ts';
import {
  type IdempotentRequest,
  type RecordedResponse,
  retentionSeconds,
  runOnce,
} from '../../shared/idempotency/index.ts';
import { secondsAfter, systemClock } from '../../shared/kernel/index.ts';
import { createServiceAccount } from '../../shared/service-account/index.ts';
import { type AdminService, digestDatabase, startAdminService } from '../support/admin-service.ts';
import { failingPool, StatementFault } from '../support/failing-pool.ts';

let admin: AdminService;
let tenant: Awaited<ReturnType<AdminService['seedTenant']>>;
let keys: string;
let count = 0;

beforeAll(async () => {
  admin = await startAdminService();
});
beforeEach(async () => {
  tenant = await admin.seedTenant({ serviceAccounts: ['ci'] });
  keys = `/v1/organizations/${tenant.organizationId}/service-accounts/${tenant.idOf('ci')}/api-keys`;
});
afterAll(() => admin.close());

const issue = (key: string, body: unknown = { description: 'x' }, path = keys, credential = tenant.key) =>
  admin.request('post', path, { key: credential, body, headers: { 'idempotency-key': key } });
const issuedKeys = () =>
  withOrg(admin.pool, tenant.organizationId, (tx) =>
    tx.selectFrom('api_key').select('key_id').where('description', '=', 'x').execute(),
  );

describe('the same key with the same request', () => {
  it('gets the first answer again, secret included, and has one effect', async () => {
    const first = await issue('k1');
    const again = await issue('k1', ' { "description" : "x" } ');
    expect([again.status, again.json]).toEqual([201, first.json]);
    expect(first.headers.get('idempotency-replayed')).toBeNull();
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect((await issuedKeys()).length).toBe(1);
  });

  it('has one effect when twelve arrive at once, more than there are connections', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => issue('at-once')));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === null).length).toBe(1);
    expect((await issuedKeys()).length).toBe(1);
  });

  it('is answered with its Location for every kind of thing that is made', async () => {
    for (const [path, body] of [
      ['/v1/organizations', { name: `made-${count++}`, displayName: 'x' }],
      ['/v1/git-sources', { url: `https://git.test/${count++}` }],
      [`/v1/organizations/${tenant.name}/service-accounts`, { name: 'made', displayName: 'x' }],
      [
        `/v1/organizations/${tenant.name}/audit/exports`,
        { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' },
      ],
      ['/v1/signing-keys/rotate', {}],
    ] as const) {
      const first = await issue(`made-${path}`, body, path, admin.operatorKey);
      const again = await issue(`made-${path}`, body, path, admin.operatorKey);
      expect([201, 202]).toContain(first.status);
      expect([again.status, again.text]).toEqual([first.status, first.text]);
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
    }
  });
});

describe('the same key with another request', () => {
  it.each([
    ['body', { description: 'y' }, undefined],
    ['path', { description: 'x' }, 'service-accounts'],
  ])('that differs in its %s is refused with 422 and changes nothing', async (_what, body, path) => {
    await issue('k2');
    const before = await digestDatabase(admin.database.superuserUrl);
    const other = path === undefined ? keys : keys.replace(tenant.idOf('ci'), tenant.idOf('admin'));
    const answer = await issue('k2', body, other);
    expect([answer.status, answer.json.code]).toEqual([422, 'idempotency.key_reused']);
    expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
  });
});

describe('a key', () => {
  it('is one caller’s own: another gets its own effect and never the first one’s secret', async () => {
    const first = await issue('shared');
    const second = await issue('shared', undefined, keys, admin.operatorKey);
    expect(second.status).toBe(201);
    expect(second.json.text).not.toBe(first.json.text);
  });

  // Threat: a narrow credential of an account that repeats the request of a wide one, and is shown what that one got.
  it.each(['issue', 'rotate'])(
    'shows a narrower credential of the same caller nothing of the answer: %s',
    async (operation) => {
      const home = `/v1/organizations/${tenant.organizationId}`;
      const own = `${home}/service-accounts/${tenant.idOf('admin')}/api-keys`;
      const narrow = await issue('narrow', { description: 'x', scopes: ['api_key:*'] }, own);
      const wide = await issue('wide', undefined, own);
      const [path, body] =
        operation === 'issue' ? [own, undefined] : [`${home}/api-keys/${wide.json.id}/rotate`, {}];
      const first = await issue('deploy-key-1', body, path);
      expect(first).toMatchObject({ status: 201, json: { text: expect.stringMatching(/^uos_sa_/) } });
      const repeated = await issue('deploy-key-1', body, path, narrow.json.text);
      expect(repeated).toMatchObject({ status: 422, json: { code: 'scope.beyond_rights' } });
      expect(repeated.text).not.toContain('uos_sa_');
    },
  );

  it('goes on with another credential of the caller that reaches as far, as after a rotation', async () => {
    const first = await issue('kept');
    const successor = await admin.apiKeys.issue(tenant, 'admin');
    const again = await issue('kept', undefined, keys, successor.text);
    expect([again.status, again.json]).toEqual([201, first.json]);
  });

  it('does not open a door that has closed meanwhile', async () => {
    await issue('k3');
    await withOrg(admin.pool, tenant.organizationId, (tx) => tx.deleteFrom('role_binding').execute());
    expect((await issue('k3')).status).toBe(403);
  });

  it('of a refused request can be used again when the request has become possible', async () => {
    const organization = { name: `late-${count++}`, displayName: 'x' };
    const path = '/v1/organizations';
    await issue('first', organization, path, admin.operatorKey);
    expect((await issue('k4', organization, path, admin.operatorKey)).status).toBe(409);
    expect((await issue('k4', { ...organization, name: 'free' }, path, admin.operatorKey)).status).toBe(201);
  });

  it.each(['', 'a b', 'x'.repeat(129)])('of the form %j is refused, or none at all', async (key) => {
    const { status } = await issue(key);
    expect(status).toBe(400);
  });

  it('keeps nothing readable at rest', async () => {
    const { json } = await issue('k5');
    const rows = await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx.selectFrom('idempotency_record').selectAll().execute(),
    );
    expect(rows.length).toBe(1);
    expect(rows[0]?.response_sealed.includes(json.text)).toBe(false);
  });
});

const runOnceDeps = () => ({
  pool: admin.pool,
  store: postgresIdempotencyRecordStore,
  responses: admin.deps.rings.responses,
  clock: systemClock,
});

/** A first request that is under way until it is ended, and then has changed nothing. */
function holdKey(request: Pick<IdempotentRequest, 'organizationId' | 'caller' | 'key'>, pool = admin.pool) {
  const [begun, ended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held = runOnce({ ...runOnceDeps(), pool }, { ...request, content: 'c' }, async () => {
    begun.resolve();
    await ended.promise;
    return { status: 400, headers: {}, body: '' };
  });
  const end = async () => {
    ended.resolve();
    await held;
  };
  return { begun: begun.promise, end };
}

// Threat: requests of one tenant that hold every connection, each while it waits for another.
describe('over one connection', () => {
  let narrow: AdminService;
  beforeAll(async () => {
    narrow = await startAdminService({ connectionsMax: 1, connectTimeoutMs: 60_000 });
  });
  afterAll(() => narrow.close());

  async function issuer() {
    const seeded = await narrow.seedTenant();
    const home = `/v1/organizations/${seeded.organizationId}`;
    const path = `${home}/service-accounts/${seeded.idOf('admin')}/api-keys`;
    const body = { description: 'x', scopes: ['organization:read'] };
    const issueUnder = (key: string) =>
      narrow.request('post', path, { key: seeded.key, body, headers: { 'idempotency-key': key } });
    return { ...seeded, home, issueUnder };
  }

  it('twelve at once with scopes and twelve keys all get theirs', async () => {
    const { issueUnder } = await issuer();
    const keysAtOnce = Array.from({ length: 12 }, (_, place) => `at-once-${place}`);
    const answers = await Promise.all(keysAtOnce.map(issueUnder));
    expect(answers.map(({ status }) => status)).toEqual(keysAtOnce.map(() => 201));
    expect(new Set(answers.map(({ json }) => json.text)).size).toBe(12);
  });

  it('whoever waits for a first that is under way keeps nobody else from an answer', async () => {
    const { home, key, issueUnder, organizationId, idOf } = await issuer();
    const outside = openPool({ url: narrow.database.appUrl, applicationName: 'test-first' });
    const first = holdKey({ organizationId, caller: { id: idOf('admin') }, key: 'waited-for' }, outside);
    await first.begun;
    const waiting = Promise.all(Array.from({ length: 3 }, () => issueUnder('waited-for')));
    for (let time = 0; time < 8; time++)
      expect((await narrow.request('get', home, { key })).status).toBe(200);
    await first.end();
    const answers = await waiting;
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    await outside.close();
  });
});

describe('runOnce', () => {
  const actor = { type: 'system', id: 'test' } as const;
  const run = (options: { at?: number; name?: string; pool?: typeof admin.pool } = {}) => {
    const now = secondsAfter(new Date('2030-01-01T00:00:00Z'), options.at ?? 0);
    const pool = options.pool ?? admin.pool;
    const store = postgresIdempotencyRecordStore;
    return runOnce(
      { pool, store, responses: admin.deps.rings.responses, clock: { now: () => now } },
      { organizationId: tenant.organizationId, caller: { id: 'sa_x' }, key: 'k', content: 'c' },
      async (joined): Promise<RecordedResponse> => {
        const created = await createServiceAccount(
          { ...admin.deps, pool: joined, store: admin.deps.stores.serviceAccount },
          { organizationId: tenant.organizationId, name: options.name ?? 'once', displayName: 'x', actor },
        );
        return { status: created.ok ? 201 : 409, headers: {}, body: created.ok ? created.value.id : '' };
      },
    );
  };

  it('forgets after a day, and not a second before', async () => {
    const first = await run();
    expect(await run({ at: retentionSeconds })).toMatchObject({ value: { isReplayed: true } });
    const later = await run({ at: retentionSeconds + 1, name: 'again' });
    expect(later).toMatchObject({ value: { isReplayed: false, status: 201 } });
    expect(later).not.toMatchObject(first);
  });

  // Threat: a crash between the effect and the record of it, which would make the retry a second effect.
  it('leaves neither effect nor record when any one statement fails, and a retry then has one of each', async () => {
    const counting = failingPool(admin.pool, { atStatement: 0 });
    await run({ pool: counting, name: 'probe' });
    await withOrg(admin.pool, tenant.organizationId, (tx) => tx.deleteFrom('idempotency_record').execute());
    const before = await digestDatabase(admin.database.superuserUrl);
    const total = counting.statements();
    expect(total).toBeGreaterThan(10);
    for (let atStatement = 1; atStatement <= total; atStatement++) {
      const pool = failingPool(admin.pool, { atStatement });
      await expect(run({ pool })).rejects.toThrow(StatementFault);
      expect(await digestDatabase(admin.database.superuserUrl)).toEqual(before);
    }
    expect(await run()).toMatchObject({ value: { isReplayed: false, status: 201 } });
    expect(await run()).toMatchObject({ value: { isReplayed: true, status: 201 } });
  });

  it('finds the answer when the commit was done and its confirmation lost', async () => {
    const counting = failingPool(admin.pool, { atStatement: 0 });
    await run({ pool: counting, name: 'probe' });
    await withOrg(admin.pool, tenant.organizationId, (tx) => tx.deleteFrom('idempotency_record').execute());
    const pool = failingPool(admin.pool, { atStatement: counting.statements(), lost: 'answer' });
    await expect(run({ pool })).rejects.toThrow(StatementFault);
    expect(await run()).toMatchObject({ value: { isReplayed: true, status: 201 } });
  });

  it('gives up after enough looks at a first that is still under way, without an effect of its own', async () => {
    const request = { organizationId: tenant.organizationId, caller: { id: 'sa_x' }, key: 'k' };
    const first = holdKey(request);
    await first.begun;
    const effect = () => Promise.reject(new Error('a second effect'));
    const looks = { turns: 3, pauseMs: 1 };
    const second = await runOnce(runOnceDeps(), { ...request, content: 'c' }, effect, looks);
    expect(second).toMatchObject({ failure: { code: 'idempotency.in_progress' } });
    await first.end();
  });

  it('needs one connection only, so that many at once cannot starve each other', async () => {
    const pool = openPool({ url: admin.database.appUrl, applicationName: 'test-one', connectionsMax: 1 });
    expect(await run({ pool })).toMatchObject({ value: { status: 201 } });
    await pool.close();
  });
});
