import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import {
  postgresDecisionLogReader,
  postgresDecisionLogStore,
} from '../../shared/decision-record/decision-log-store.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import {
  cacheDecisionLogs,
  changeDecisionLog,
  createDecisionRecorder,
  type DecisionLog,
  type DecisionRecord,
  type DecisionRecorderDeps,
  type DecisionRecorderOptions,
  noDecisionStream,
  type SealJournalDeps,
  type SealJournalOptions,
  sealJournal,
} from '../../shared/decision-record/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import { createDirectoryObjectStore } from '../../shared/object-store/object-store.directory.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createTestDatabase, openTestPool } from '../support/postgres.ts';
import { seedOrganization } from '../support/seed-organization.ts';

const ambient = { clock: systemClock, random: systemRandom };

export type DecisionFixture = Awaited<ReturnType<typeof createDecisionFixture>>;

/** A database and a directory of objects, and recorders over them whose turns the tests take. */
export async function createDecisionFixture() {
  const database = await createTestDatabase();
  const pool = openTestPool({ url: database.appUrl, applicationName: 'test' });
  const logPool = openTestPool({ url: database.logUrl, applicationName: 'test-log' });
  const directory = await mkdtemp(join(tmpdir(), 'uos-decisions-'));
  const objects = createDirectoryObjectStore(directory, ambient);
  const events = postgresEventRecorder({ ...ambient, source: 'uos/test' });
  const store = postgresDecisionLogStore;
  const sealing = {
    ...ambient,
    pool,
    objects,
    events,
    journal: postgresDecisionJournal(pool),
    segments: postgresDecisionSegmentStore,
    logger: silentLogger,
  };
  const logs = cacheDecisionLogs({
    reader: postgresDecisionLogReader(pool),
    // Each organization's settings are made before its first decision.
    feed: { epochOf: () => 0, isLive: () => true },
    clock: systemClock,
    maskingKey: Buffer.alloc(32, 1),
  });
  const changeLog = (organizationId: OrganizationId, change: Partial<DecisionLog>) =>
    changeDecisionLog(
      { pool, store, events, clock: systemClock },
      { organizationId, actor: { type: 'system', id: 'test' }, change },
    );
  return {
    database,
    pool,
    logPool,
    directory,
    objects,
    sealing,
    open: (options: DecisionRecorderOptions = {}, deps: Partial<DecisionRecorderDeps> = {}) =>
      createDecisionRecorder(
        { ...sealing, logs, stream: noDecisionStream, ...deps },
        { journalMs: 3_600_000, ...options },
      ),
    /** As the tick does it, under the role that owns the log. By default all there is, however young. */
    seal: (options: SealJournalOptions = {}, deps: Partial<SealJournalDeps> = {}) =>
      sealJournal(
        { ...sealing, pool: logPool, journal: postgresDecisionJournal(logPool), ...deps },
        { olderThanSeconds: -60, timeoutSeconds: 300, ...options },
      ),
    changeLog,
    createOrganization: async (log: Partial<DecisionLog> = { level: 'all' }) => {
      const { organizationId } = await seedOrganization(pool);
      await changeLog(organizationId, log);
      return organizationId;
    },
    journaled: (organization: OrganizationId) => journaled(pool, organization),
    segmentsOf: (organization: OrganizationId) => segmentsOf({ pool, objects }, organization),
    requestIdsOf: async (organization: OrganizationId) =>
      (await segmentsOf({ pool, objects }, organization)).flatMap(({ lines }) =>
        lines.map((line) => String(line['request_id'])),
      ),
    close: async () => {
      await pool.close();
      await logPool.close();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

export function decisionRecord(
  organization: OrganizationId,
  requestId: string,
  more: Partial<DecisionRecord> = {},
): DecisionRecord {
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
    ...more,
  };
}

type Line = Record<string, unknown>;

async function journaled(pool: DatabasePool, organization: OrganizationId): Promise<Line[]> {
  const rows = await withOrg(pool, organization, (tx) =>
    tx.selectFrom('decision_journal').select('lines').orderBy('segment_id').orderBy('part').execute(),
  );
  return rows.flatMap(({ lines }) => toLines(lines));
}

/** The segments an organization's log names, each with the lines of the object, proven by the digest in the event. */
async function segmentsOf(
  { pool, objects }: { pool: DatabasePool; objects: ReturnType<typeof createDirectoryObjectStore> },
  organization: OrganizationId,
) {
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
      const lines = toLines(gunzipSync(bytes).toString('utf8'));
      expect(lines).toHaveLength(data.count);
      return { data, lines };
    }),
  );
}

function toLines(text: string): Line[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}
