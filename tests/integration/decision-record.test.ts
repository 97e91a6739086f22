import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type DatabasePool, openPool, withOrg } from '../../shared/db/index.ts';
import {
  createDecisionRecorder,
  type DecisionRecord,
  type DecisionRecorderOptions,
} from '../../shared/decision-record/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { ObjectStore } from '../../shared/object-store/index.ts';
import { createDirectoryObjectStore } from '../../shared/object-store/object-store.directory.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';
import { seedOrganization } from '../support/seed-organization.ts';

const deps = { clock: systemClock, random: systemRandom };
let database: TestDatabase;
let pool: DatabasePool;
let directory: string;
let objects: ObjectStore;
let mine: OrganizationId;
let theirs: OrganizationId;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openPool({ url: database.appUrl, applicationName: 'test' });
  directory = await mkdtemp(join(tmpdir(), 'uos-decisions-'));
  objects = createDirectoryObjectStore(directory, deps);
});
afterAll(async () => {
  await pool.close();
  await database.drop();
  await rm(directory, { recursive: true });
});
beforeEach(async () => {
  mine = (await seedOrganization(pool)).organizationId;
  theirs = (await seedOrganization(pool)).organizationId;
});

function open(options: DecisionRecorderOptions = {}, store: Pick<ObjectStore, 'put'> = objects) {
  const events = postgresEventRecorder({ ...deps, source: 'uos/test' });
  return createDecisionRecorder(
    { ...deps, objects: store, pool, events, logger: silentLogger },
    // Turns are taken by the tests alone.
    { intervalMs: 3_600_000, ...options },
  );
}

function record(organization: OrganizationId, requestId: string): DecisionRecord {
  return {
    time: new Date('2026-03-04T05:06:07.089Z'),
    organization,
    requestId,
    principal: { type: 'service_account', id: 'sa_1', credential: 'key_1…abcd' },
    subject: { type: 'user', id: 'usr_1' },
    action: 'read',
    resource: { type: 'document', id: '42' },
    decision: false,
    code: 'forbidden',
    rule: 'denied_by_binding',
    binding: 'bind_1',
    policyRevision: 'r1',
  };
}

/** The segments an organization's log names, each with the lines of the object, proven by the digest in the event. */
async function readSegments(organization: OrganizationId) {
  const rows = await withOrg(pool, organization, (tx) =>
    tx
      .selectFrom('audit_event')
      .select('leaf')
      .where('type', '=', 'uos.decision-segment.written.v1')
      .orderBy('event_id')
      .execute(),
  );
  return Promise.all(
    rows.map(async ({ leaf }) => {
      const { data } = JSON.parse(leaf);
      const bytes = (await objects.get(data.objectKey)) ?? Buffer.alloc(0);
      expect(createHash('sha256').update(bytes).digest('hex')).toBe(data.sha256);
      const lines = gunzipSync(bytes).toString('utf8').trimEnd().split('\n');
      expect(lines).toHaveLength(data.count);
      return { data, lines: lines.map((line) => JSON.parse(line)) };
    }),
  );
}

const requestIds = async (organization: OrganizationId) =>
  (await readSegments(organization)).flatMap(({ lines }) => lines.map((line) => line.request_id));

describe('decision records', () => {
  it('are kept as one object an organization, whose digest its log names', async () => {
    const recorder = open();
    recorder.record(record(mine, 'one'));
    recorder.record(record(theirs, 'other'));
    recorder.record(record(mine, 'two'));
    await recorder.flush();
    const [segment] = await readSegments(mine);
    expect(segment?.data).toMatchObject({
      objectKey: expect.stringMatching(
        new RegExp(`^decisions/${mine}/2026-03-04/seg_[0-9a-z]{26}\\.ndjson\\.gz$`),
      ),
      count: 2,
      from: '2026-03-04T05:06:07.089Z',
      to: '2026-03-04T05:06:07.089Z',
      policyRevision: 'r1',
    });
    expect(segment?.lines[0]).toEqual({
      time: '2026-03-04T05:06:07.089Z',
      organization: mine,
      request_id: 'one',
      principal: { type: 'service_account', id: 'sa_1', credential: 'key_1…abcd' },
      subject: { type: 'user', id: 'usr_1' },
      action: 'read',
      resource: { type: 'document', id: '42' },
      decision: false,
      code: 'forbidden',
      rule: 'denied_by_binding',
      binding: 'bind_1',
      policy_revision: 'r1',
    });
    expect(await requestIds(mine)).toEqual(['one', 'two']);
    expect(await requestIds(theirs)).toEqual(['other']);
    await recorder.close();
  });

  it('are all written before the recorder closes', async () => {
    const recorder = open({ segmentRecords: 100 });
    for (let n = 0; n < 1_050; n++) recorder.record(record(mine, `${n}`));
    await recorder.close();
    expect((await requestIds(mine)).map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 1_050 }, (_, n) => n),
    );
  });

  it('are written on their own soon after they were made', async () => {
    const recorder = open({ intervalMs: 20 });
    recorder.record(record(mine, 'one'));
    const deadline = AbortSignal.timeout(20_000);
    while ((await requestIds(mine)).length === 0) deadline.throwIfAborted();
    await recorder.close();
  });

  it('wait while the object store fails, stop being accepted at the bound, and are all there in the end', async () => {
    let isBroken = true;
    const recorder = open(
      { recordsMax: 3 },
      { put: (...put) => (isBroken ? Promise.reject(new Error('down')) : objects.put(...put)) },
    );
    for (const id of ['1', '2']) recorder.record(record(mine, id));
    await recorder.flush();
    expect(recorder.isAccepting()).toBe(true);
    recorder.record(record(mine, '3'));
    await recorder.flush();
    expect(recorder.isAccepting()).toBe(false);
    isBroken = false;
    await recorder.flush();
    expect(recorder.isAccepting()).toBe(true);
    await recorder.close();
    expect((await requestIds(mine)).sort()).toEqual(['1', '2', '3']);
  });

  // A crash between object and event leaves an object nobody names, never an event without its object.
  it('are named in the log once, by the object first written, when only the event failed', async () => {
    let failures = 1;
    const flaky: DatabasePool = {
      ...pool,
      connect: () => (failures-- > 0 ? Promise.reject(new Error('down')) : pool.connect()),
    };
    const events = postgresEventRecorder({ ...deps, source: 'uos/test' });
    const recorder = createDecisionRecorder(
      { ...deps, objects, pool: flaky, events, logger: silentLogger },
      { intervalMs: 3_600_000 },
    );
    recorder.record(record(mine, 'one'));
    await recorder.flush();
    expect(await readSegments(mine)).toEqual([]);
    await recorder.flush();
    expect(await readSegments(mine)).toHaveLength(1);
    expect((await objects.list(`decisions/${mine}/`)).keys).toHaveLength(1);
    await recorder.close();
  });
});
