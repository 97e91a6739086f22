import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentFeed } from '../../shared/authorization-feed/index.ts';
import { withOrg } from '../../shared/db/index.ts';
import { postgresDecisionLogReader } from '../../shared/decision-record/decision-log-store.postgres.ts';
import {
  cacheDecisionLogs,
  createDecisionRecorder,
  type DecisionRecord,
  type DecisionRecorder,
  noDecisionStream,
  sealJournal,
} from '../../shared/decision-record/index.ts';
import { systemClock } from '../../shared/kernel/index.ts';
import { type AdminService, startAdminService } from '../support/admin-service.ts';
import { decisionRecord } from './decision-fixture.ts';

type Tenant = Awaited<ReturnType<AdminService['seedTenant']>>;

let admin: AdminService;
let recorder: DecisionRecorder;

beforeAll(async () => {
  admin = await startAdminService();
  const { pool, deps } = admin;
  recorder = createDecisionRecorder(
    {
      ...deps,
      journal: deps.stores.decisions.journal,
      stream: noDecisionStream,
      logs: cacheDecisionLogs({
        reader: postgresDecisionLogReader(pool),
        feed: silentFeed,
        clock: systemClock,
        maskingKey: Buffer.alloc(32),
      }),
    },
    { journalMs: 3_600_000 },
  );
});
afterAll(async () => {
  await recorder.close();
  await admin.close();
});

const minute = (n: number) => new Date(Date.UTC(2026, 2, 4, 14, n));
const window = 'from=2026-03-04T14:00:00Z&to=2026-03-04T15:00:00Z';

function keep(tenant: Tenant, requestId: string, more: Partial<DecisionRecord> = {}): void {
  recorder.record(decisionRecord(tenant.organizationId, requestId, { time: minute(2), ...more }));
}

async function seal(): Promise<void> {
  const { pool, deps, objects } = admin;
  await recorder.journal();
  await sealJournal({ ...deps, ...deps.stores.decisions, pool, objects }, { olderThanSeconds: -60 });
}

async function find(tenant: Tenant, query: string, key = tenant.key) {
  const path = `/v1/organizations/${tenant.organizationId}/decisions?${query}`;
  const { status, json } = await admin.request('get', path, { key });
  return { status, ...json };
}

const idsOf = ({ items }: { items: { request_id: string }[] }) => items.map((item) => item.request_id);

describe('why was I refused at 14:02?', () => {
  it('is answered with the record and what speaks for it, from the journal and then from its segment', async () => {
    const tenant = await admin.seedTenant();
    keep(tenant, 'asked', { attributes: { context: { amr: ['pwd'] } } });
    keep(tenant, 'other', { time: minute(3) });
    await recorder.journal();
    const young = await find(tenant, `${window}&requestId=asked`);
    expect(young.items).toMatchObject([
      {
        request_id: 'asked',
        time: '2026-03-04T14:02:00.000Z',
        decision: false,
        code: 'forbidden',
        rule: 'denied_by_binding',
        binding: 'bind_1',
        attributes: { context: { amr: ['pwd'] } },
        proof: { status: 'journaled' },
      },
    ]);
    await seal();
    const sealed = await find(tenant, `${window}&requestId=asked`);
    expect(sealed.items[0].proof).toMatchObject({
      status: 'recorded',
      segmentId: expect.stringMatching(/^seg_/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      eventId: expect.stringMatching(/^evt_/),
    });
    expect({ ...sealed.items[0], proof: {} }).toEqual({ ...young.items[0], proof: {} });
  });

  it('finds by request, by who asked, by whom was asked about, by resource, by time, and by all of them', async () => {
    const tenant = await admin.seedTenant();
    const principal = (id: string) => ({ type: 'service_account', id, credential: 'k' });
    keep(tenant, 'r1', { principal: principal('sa_a'), subject: { type: 'user', id: 'usr_x' } });
    keep(tenant, 'r2', { principal: principal('sa_b'), resource: { type: 'document', id: 'b c/ü' } });
    keep(tenant, 'r3', { principal: principal('sa_b'), time: minute(30) });
    for (const isSealed of [false, true]) {
      await (isSealed ? seal() : recorder.journal());
      const found = async (query: string) => idsOf(await find(tenant, query)).sort();
      expect(await found(`${window}&requestId=r1`)).toEqual(['r1']);
      expect(await found(`${window}&principal=sa_b`)).toEqual(['r2', 'r3']);
      expect(await found(`${window}&principal=usr_x`)).toEqual(['r1']);
      expect(await found(`${window}&resource=${encodeURIComponent('document:b c/ü')}`)).toEqual(['r2']);
      expect(await found('from=2026-03-04T14:30:00Z&to=2026-03-04T14:30:00.001Z')).toEqual(['r3']);
      expect(await found(`${window}&principal=sa_b&requestId=r2`)).toEqual(['r2']);
      expect(await found(`${window}&principal=sa_a&requestId=r2`)).toEqual([]);
      expect(await found('from=2026-03-04T15:00:00Z&to=2026-03-04T16:00:00Z')).toEqual([]);
    }
  });

  it.each([1, 3, 7])('pages of %i show every decision once, the newest first', async (limit) => {
    const tenant = await admin.seedTenant();
    // Many of one instant, in several segments and in the journal.
    for (let n = 0; n < 34; n++) {
      keep(tenant, `${n}`, { time: minute(Math.floor(n / 6)) });
      if (n % 10 === 9 || n === 33) await seal();
    }
    for (let n = 34; n < 40; n++) keep(tenant, `${n}`, { time: minute(Math.floor(n / 6)) });
    await recorder.journal();
    const seen: { request_id: string; time: string }[] = [];
    for (let cursor = ''; ; ) {
      const page = await find(tenant, `${window}&limit=${limit}${cursor}`);
      expect(page.items.length).toBeLessThanOrEqual(limit);
      seen.push(...page.items);
      if (page.nextCursor === undefined) break;
      cursor = `&cursor=${page.nextCursor}`;
    }
    expect(seen.map((item) => Number(item.request_id)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, n) => n),
    );
    const times = seen.map(({ time }) => time);
    expect(times).toEqual([...times].sort().reverse());
  });

  it('goes on where it ended, though the journal became a segment meanwhile', async () => {
    const tenant = await admin.seedTenant();
    for (let n = 0; n < 6; n++) keep(tenant, `${n}`, { time: minute(n) });
    await recorder.journal();
    const first = await find(tenant, `${window}&limit=3`);
    await seal();
    const second = await find(tenant, `${window}&limit=3&cursor=${first.nextCursor}`);
    expect([...idsOf(first), ...idsOf(second)]).toEqual(['5', '4', '3', '2', '1', '0']);
  });

  it('reads the last day when it is not told when', async () => {
    const tenant = await admin.seedTenant();
    keep(tenant, 'now', { time: new Date() });
    keep(tenant, 'long ago');
    await recorder.journal();
    expect(idsOf(await find(tenant, ''))).toEqual(['now']);
  });

  it('is recorded before it is shown', async () => {
    const tenant = await admin.seedTenant();
    keep(tenant, 'one');
    await recorder.journal();
    await find(tenant, window);
    const events = await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx.selectFrom('audit_event').select('leaf').where('type', '=', 'uos.decision-log.read.v1').execute(),
    );
    expect(events.map(({ leaf }) => JSON.parse(leaf).data.count)).toEqual([1]);
  });
});

describe('nobody else', () => {
  it('finds a decision: not another tenant by any key, not an account without the permission', async () => {
    const [tenant, other] = [await admin.seedTenant(), await admin.seedTenant()];
    keep(tenant, 'mine');
    for (const isSealed of [false, true]) {
      await (isSealed ? seal() : recorder.journal());
      for (const query of ['', 'requestId=mine', 'principal=usr_1', 'resource=document:42']) {
        expect(await find(other, `${window}&${query}`)).toMatchObject({
          status: 200,
          items: [],
          damaged: [],
        });
        expect(await find(tenant, `${window}&${query}`, other.key)).toMatchObject({ status: 404 });
      }
    }
    const idler = (await admin.apiKeys.issue(tenant, 'idler')).text;
    expect(await find(tenant, window, idler)).toMatchObject({ status: 403 });
  });

  it.each([
    ['from=2026-03-04T15:00:00Z&to=2026-03-04T14:00:00Z'],
    ['from=2026-01-01T00:00:00Z&to=2026-03-04T14:00:00Z'],
    ['cursor=x'],
    ['limit=101'],
    ['principal='],
  ])('asks for what is not a window or a page: %s', async (query) => {
    const tenant = await admin.seedTenant();
    expect(await find(tenant, query)).toMatchObject({ status: 400 });
  });
});

describe('a segment that is not what the log names', () => {
  it('is named, and nothing of it is shown', async () => {
    const tenant = await admin.seedTenant();
    keep(tenant, 'one');
    await seal();
    const { items } = await find(tenant, window);
    const { segmentId } = items[0].proof;
    const [key = ''] = (await admin.objects.list(`decisions/${tenant.organizationId}/`)).keys;
    const bytes = Buffer.from((await admin.objects.get(key)) ?? []);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await admin.objects.put(key, bytes, { contentType: 'application/gzip' });
    expect(await find(tenant, window)).toMatchObject({
      items: [],
      damaged: [{ code: 'decision_segment.changed', segmentId }],
    });
    await admin.objects.delete(key);
    expect(await find(tenant, window)).toMatchObject({
      items: [],
      damaged: [{ code: 'decision_segment.missing', segmentId }],
    });
  });
});

describe('the decision log of an organization', () => {
  const pathOf = (tenant: Tenant) => `/v1/organizations/${tenant.organizationId}/decision-log`;

  it('keeps refusals and privileged decisions, until it is set otherwise; each change is an event', async () => {
    const tenant = await admin.seedTenant();
    const path = pathOf(tenant);
    expect((await admin.request('get', path, tenant)).json).toEqual({
      level: 'denials-and-privileged',
      masks: [],
    });
    const masks = [{ path: 'subject.email', mode: 'hash' }];
    for (const body of [{ level: 'all' }, { masks }, { level: 'all', masks }]) {
      expect((await admin.request('post', path, { ...tenant, body })).status).toBe(200);
    }
    expect((await admin.request('get', path, tenant)).json).toEqual({ level: 'all', masks });
    const events = await withOrg(admin.pool, tenant.organizationId, (tx) =>
      tx
        .selectFrom('audit_event')
        .select('leaf')
        .where('type', '=', 'uos.decision-log.changed.v1')
        .orderBy('event_id')
        .execute(),
    );
    expect(events.map(({ leaf }) => JSON.parse(leaf).data)).toMatchObject([
      { level: 'all', masks: [] },
      { level: 'all', masks },
    ]);
  });

  it.each([
    [{ level: 'none' }],
    [{ masks: [{ path: 'principal.id', mode: 'hash' }] }],
    [{ masks: [{ path: 'subject', mode: 'remove' }] }],
    [{ masks: [{ path: 'context.a b', mode: 'remove' }] }],
    [{ masks: Array.from({ length: 51 }, () => ({ path: 'context.a', mode: 'hash' })) }],
  ])('refuses %j', async (body) => {
    const tenant = await admin.seedTenant();
    expect((await admin.request('post', pathOf(tenant), { ...tenant, body })).status).toBe(400);
  });

  it('is not another tenant’s to change', async () => {
    const [tenant, other] = [await admin.seedTenant(), await admin.seedTenant()];
    const body = { level: 'all' };
    expect((await admin.request('post', pathOf(tenant), { key: other.key, body })).status).toBe(404);
  });
});

// What an erasure says of itself must be true: it ends what the directory and the log say, not what a caller wrote.
describe('what a question said of a person', () => {
  const attributes = { subject: { email: 'ada@example.org' } };
  const eraseAda = (tenant: Tenant, user: string) =>
    admin.request('post', `/v1/organizations/${tenant.organizationId}/users/${user}/erase`, {
      key: tenant.key,
    });

  it.each([
    ['outlives their erasure where nothing is masked', [], true],
    ['is never kept where it is masked', [{ path: 'subject.*', mode: 'hash' }], false],
  ])('%s', async (_what, masks, isKept) => {
    const tenant = await admin.seedTenant({ users: ['ada'] });
    const path = `/v1/organizations/${tenant.organizationId}/decision-log`;
    expect((await admin.request('post', path, { key: tenant.key, body: { masks } })).status).toBe(200);
    const user = tenant.idOf('ada');
    keep(tenant, 'asked', { subject: { type: 'user', id: user }, attributes });
    await seal();
    expect((await eraseAda(tenant, user)).status).toBe(200);
    const found = JSON.stringify((await find(tenant, `${window}&requestId=asked`)).items);
    expect(found).toContain('"request_id":"asked"');
    expect(found.includes('ada@example.org')).toBe(isKept);
  });
});
