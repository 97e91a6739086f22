import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import {
  appendEvents,
  exportPrefixOf,
  requestExport,
  runExport,
  verifyExport,
} from '../../shared/audit/index.ts';
import { silentFeed } from '../../shared/authorization-feed/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionLogReader } from '../../shared/decision-record/decision-log-store.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import {
  cacheDecisionLogs,
  createDecisionRecorder,
  type DecisionRecorder,
  findDecisions,
  noDecisionStream,
  sealJournal,
} from '../../shared/decision-record/index.ts';
import { parseLeaf } from '../../shared/events/index.ts';
import { createMemoryPublisher } from '../../shared/events/publisher.memory.ts';
import { secondsAfter, systemRandom } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { drainOutbox } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { type AuditFixture, createAuditFixture } from './audit-fixture.ts';
import { decisionRecord } from './decision-fixture.ts';

let fixture: AuditFixture;
let recorder: DecisionRecorder;

beforeAll(async () => {
  fixture = await createAuditFixture();
  const { sealing, pools, clock } = fixture;
  recorder = createDecisionRecorder(
    {
      ...sealing,
      journal: postgresDecisionJournal(pools.app),
      stream: noDecisionStream,
      logs: cacheDecisionLogs({
        reader: postgresDecisionLogReader(pools.app),
        feed: silentFeed,
        clock,
        maskingKey: Buffer.alloc(32),
      }),
    },
    { journalMs: 3_600_000 },
  );
});
afterAll(async () => {
  await recorder.close();
  await fixture.close();
});

async function seal(): Promise<void> {
  await recorder.journal();
  await sealJournal(fixture.sealing, { olderThanSeconds: -60 });
}

async function logAll(): Promise<void> {
  const memory = createMemoryPublisher();
  await drainOutbox({ pool: fixture.pools.relay, store: postgresOutboxStore, publisher: memory });
  for (const { topic, value, key } of memory.accepted) {
    const event = parseLeaf(value.toString());
    if (topic === 'audit.identity' && event.ok)
      await appendEvents(fixture.log, key as OrganizationId, [event.value]);
  }
}

/** Two segments, logged, and a window that holds both; a neighbour's beside them. */
async function exported() {
  const [organization, neighbour] = [await fixture.createOrganization(), await fixture.createOrganization()];
  const from = fixture.clock.now();
  for (const id of ['first', 'second']) {
    fixture.clock.advance(1_000);
    recorder.record(decisionRecord(organization, id, { time: fixture.clock.now() }));
    recorder.record(decisionRecord(neighbour, 'neighbour', { time: fixture.clock.now() }));
    await seal();
  }
  fixture.clock.advance(1_000);
  await logAll();
  return { organization, from, ...(await exportSince(organization, from)) };
}

/** What was logged of an organization since then, as an export of it. */
async function exportSince(organizationId: OrganizationId, since: Date) {
  const requested = await requestExport(
    {
      pool: fixture.pools.app,
      store: postgresAuditExportStore,
      events: fixture.sealing.events,
      clock: fixture.clock,
      random: systemRandom,
    },
    {
      organizationId,
      actor: { type: 'system', id: 'test' },
      from: secondsAfter(since, -1),
      to: fixture.clock.now(),
    },
  );
  if (!requested.ok) throw new Error(requested.failure.code);
  expect(await runExport(fixture.exporting, requested.value)).toEqual({ ok: true, value: 'ready' });
  return {
    requested: requested.value,
    directory: join(fixture.directory, exportPrefixOf(requested.value)),
  };
}

const verify = async (directory: string) => {
  const report = await verifyExport({
    read: (path) => readFile(join(directory, path)).catch(() => undefined),
  });
  return report.ok ? report.value.findings.map(({ path, problem }) => `${path}: ${problem}`) : report.failure;
};

const packOf = async (directory: string) => {
  const name = (await readdir(join(directory, 'decisions'))).find((file) => file.endsWith('.gz')) ?? '';
  return join(directory, 'decisions', name);
};

describe('an export', () => {
  it('holds the decisions of its window and no other, checked against the log, the same when it is made again', async () => {
    const { directory, organization, requested } = await exported();
    expect(await verify(directory)).toEqual([]);
    const bytes = await readFile(await packOf(directory));
    const lines = gunzipSync(bytes).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { organization, request_id: 'first' },
      { organization, request_id: 'second' },
    ]);
    await fixture.query(
      `update audit_export set status = 'running', finished_at = null where export_id = $1`,
      [requested.id],
    );
    const before = await readFile(join(directory, 'MANIFEST.json'), 'utf8');
    await runExport(fixture.exporting, requested);
    expect(await readFile(join(directory, 'MANIFEST.json'), 'utf8')).toBe(before);
    expect(await readFile(await packOf(directory))).toEqual(bytes);
  });

  it('whose decisions were changed names the segment', async () => {
    const { directory } = await exported();
    const pack = await packOf(directory);
    const bytes = await readFile(pack);
    bytes[bytes.length - 9] = (bytes.at(-9) ?? 0) ^ 1;
    await writeFile(pack, bytes);
    const [first] = (await verify(directory)) as string[];
    expect(first).toMatch(/the decision segment seg_\w+, logged by evt_\w+, is not the one that was logged$/);
  });

  it.each(['pack', 'index'])('whose decisions were taken out names the segments: %s', async (file) => {
    const { directory } = await exported();
    const pack = await packOf(directory);
    await rm(file === 'pack' ? pack : pack.replace('-0000.ndjson.gz', '.ndjson'));
    const findings = (await verify(directory)) as string[];
    expect(
      findings.filter((finding) => /segment seg_\w+, logged by evt_\w+, is missing$/.test(finding)),
    ).toHaveLength(2);
  });

  it('says which segment was gone, or was another, when it was made', async () => {
    const organization = await fixture.createOrganization();
    recorder.record(decisionRecord(organization, 'one'));
    await seal();
    const { keys } = await fixture.exporting.objects.list(`decisions/${organization}/`);
    for (const key of keys) await fixture.exporting.objects.delete(key);
    await logAll();
    const now = fixture.clock.now();
    fixture.clock.advance(1_000);
    const findings = await verify((await exportSince(organization, now)).directory);
    expect(findings).toEqual([expect.stringMatching(/segment seg_\w+, logged by evt_\w+, is missing$/)]);
  });
});

describe('a decision that is found', () => {
  it('is said to be logged, and where, once the log holds its segment', async () => {
    const { organization, from } = await exported();
    const { sealing, pools, exporting } = fixture;
    const found = await findDecisions(
      {
        pool: pools.app,
        objects: exporting.objects,
        journal: sealing.journal,
        segments: postgresDecisionSegmentStore,
      },
      {
        organizationId: organization,
        from,
        to: fixture.clock.now(),
        keys: [{ kind: 'request', value: 'first' }],
        limit: 10,
      },
    );
    expect(found.decisions.map(({ proof }) => proof)).toMatchObject([
      {
        status: 'logged',
        log: { day: expect.stringMatching(/^\d{4}-\d\d-\d\d$/), index: expect.any(Number) },
      },
    ]);
  });
});
