import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createHandler as createExportHandler } from '../../functions/audit-export/handler.ts';
import { createHandler as createIngestHandler } from '../../functions/audit-ingest/handler.ts';
import { createHandler as createRelayHandler } from '../../functions/outbox-relay/handler.ts';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { createLogPublisher, requestExport, verifyExport } from '../../shared/audit/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { createHttpPublisher } from '../../shared/events/publisher.http.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { createOutboxRelay } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { startTopicRouter } from '../faults/audit-topic-router.ts';
import {
  type AuditFixture,
  createAuditFixture,
  send,
  serveFunction,
  tick,
} from '../integration/audit-fixture.ts';
import { askFsck, fsck } from '../support/fsck.ts';

type Cleanup = () => Promise<unknown>;
const cleanups: Cleanup[] = [];
const days = ['2026-03-01', '2026-03-02'];

let fixture: AuditFixture;
let organization: OrganizationId;
let exportDirectory: string;

/** The main path with its three functions served, and events going from one to the other over HTTP. */
beforeAll(async () => {
  fixture = await createAuditFixture();
  cleanups.push(() => fixture.close());
  organization = await fixture.createOrganization();
  const relay = await serveFunctions();
  for (const [at, day] of days.entries()) {
    fixture.clock.set(`${day}T10:00:00.000Z`);
    // Past a full tile on the first day.
    for (let number = 0; number < (at === 0 ? 270 : 5); number++)
      await fixture.record(organization, `${day} ${number}`);
    expect(await send(relay, tick)).toBe(204);
  }
  fixture.clock.advance(1000);
  exportDirectory = await makeExport(relay);
  for (const day of days) await writeFile(keyPathOf(day), await verifierKeyOf(day));
});
afterAll(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

/** Resolves with the address of outbox-relay. */
async function serveFunctions(): Promise<string> {
  const logger = silentLogger;
  const publisher = createLogPublisher({
    pool: fixture.pools.log,
    store: fixture.log.store,
    objects: fixture.exporting.objects,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  const ingest = await serveFunction(
    'audit-ingest',
    createIngestHandler({ log: fixture.log, publisher, logger }),
  );
  const exporter = await serveFunction(
    'audit-export',
    createExportHandler({ exporting: fixture.exporting, publisher, sealing: fixture.sealing, logger }),
  );
  const topics = await startTopicRouter();
  topics.subscribe('audit.identity', ingest.url);
  topics.subscribe('audit-export.requested', exporter.url);
  const relay = createOutboxRelay({
    pool: fixture.pools.relay,
    store: postgresOutboxStore,
    publisher: createHttpPublisher({ baseUrl: topics.url }),
    logger,
  });
  const served = await serveFunction('outbox-relay', createRelayHandler({ relay, logger }));
  cleanups.push(publisher.close, ingest.close, exporter.close, topics.close, served.close);
  return served.url;
}

async function makeExport(relay: string): Promise<string> {
  const deps = { clock: fixture.clock, random: systemRandom };
  const requested = await requestExport(
    {
      ...deps,
      pool: fixture.pools.app,
      store: postgresAuditExportStore,
      events: postgresEventRecorder({ ...deps, source: 'uos/admin' }),
    },
    {
      organizationId: organization,
      actor: { type: 'user', id: 'usr_1' },
      from: new Date('2026-03-01T00:00:00.000Z'),
      to: fixture.clock.now(),
    },
  );
  if (!requested.ok) throw new Error(requested.failure.code);
  expect(await send(relay, tick)).toBe(204);
  return join(fixture.directory, 'exports', organization, requested.value.id);
}

async function verifierKeyOf(day: string): Promise<string> {
  const [row] = await fixture.query('select verifier_key from audit_log where org_id = $1 and log_id = $2', [
    organization,
    day,
  ]);
  return String(row?.['verifier_key']);
}

const keyPathOf = (day: string) => join(fixture.directory, `${day}.vkey`);
const publishedLog = (day: string) => ({
  path: join(fixture.directory, 'audit', organization, day),
  keyPath: keyPathOf(day),
});
const exportedLog = (day: string) => ({
  path: join(exportDirectory, 'log', day),
  keyPath: join(exportDirectory, 'vkeys', `${day}.vkey`),
});

test('what use cases record arrives in an export that our verifier accepts', async () => {
  const read = (path: string) => readFile(join(exportDirectory, path));
  const trustedKey = await verifierKeyOf('2026-03-01');
  expect(await verifyExport({ read, trustedKey })).toMatchObject({
    ok: true,
    value: {
      findings: [],
      logs: [
        // With the entry that closed it, which is of the next day.
        { day: '2026-03-01', size: 272, events: 272 },
        // The request for the export is not in its window, and in its log or not yet.
        { day: '2026-03-02', size: expect.any(Number), events: 6 },
      ],
    },
  });
});

test.skipIf(fsck === undefined).each(days)('fsck of tessera accepts the published log of %s', async (day) => {
  expect(await askFsck(publishedLog(day))).toMatchObject({ accepted: true });
});

test.skipIf(fsck === undefined).each(days)('fsck of tessera accepts the exported log of %s', async (day) => {
  expect(await askFsck(exportedLog(day))).toMatchObject({ accepted: true });
});

// That the judge accepts means nothing unless it refuses this.
test.skipIf(fsck === undefined)('fsck of tessera refuses a log of which one byte was changed', async () => {
  const path = join(exportDirectory, 'log/2026-03-01/tile/entries/000');
  const bytes = await readFile(path);
  bytes.writeUInt8((bytes[5000] ?? 0) ^ 1, 5000);
  await writeFile(path, bytes);
  expect(await askFsck(exportedLog('2026-03-01'))).toMatchObject({ accepted: false });
});
