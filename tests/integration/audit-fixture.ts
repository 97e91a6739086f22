import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { postgresAuditLogStore } from '../../shared/audit/audit-log-store.postgres.ts';
import type { AuditLogDeps, RunExportDeps } from '../../shared/audit/index.ts';
import { type DatabasePool, withOrg } from '../../shared/db/index.ts';
import { postgresDecisionJournal } from '../../shared/decision-record/decision-journal.postgres.ts';
import { postgresDecisionSegmentStore } from '../../shared/decision-record/decision-segment-store.postgres.ts';
import type { SealJournalDeps } from '../../shared/decision-record/index.ts';
import { postgresEventRecorder, toCloudEvent } from '../../shared/events/event-recorder.postgres.ts';
import { type CloudEvent, toLeaf } from '../../shared/events/index.ts';
import { createFunctionServer, type FunctionOptions, serve } from '../../shared/http/index.ts';
import { systemRandom } from '../../shared/kernel/index.ts';
import { createDirectoryObjectStore } from '../../shared/object-store/object-store.directory.ts';
import { type OrganizationId, organizationId } from '../../shared/organization/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { parseVerifierKey, verifyLog } from '../../shared/tlog/index.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/postgres.ts';

export const auditOrigin = 'audit.example.com';
const start = '2026-03-01T10:00:00.000Z';

/** Real PostgreSQL with a pool for each role, a directory of objects, a clock that moves when it is told to. */
export type AuditFixture = {
  readonly database: TestDatabase;
  readonly pools: { readonly app: DatabasePool; readonly relay: DatabasePool; readonly log: DatabasePool };
  readonly directory: string;
  readonly clock: { now(): Date; set(iso: string): void; advance(ms: number): void };
  readonly log: AuditLogDeps;
  readonly exporting: RunExportDeps;
  readonly sealing: SealJournalDeps;
  createOrganization(): Promise<OrganizationId>;
  /** Records one event as a use case does, and returns its id. */
  record(organization: OrganizationId, name: string): Promise<string>;
  /** Puts events into the trail as they stand, for tests that choose their ids and texts. */
  recordAll(events: readonly CloudEvent[]): Promise<void>;
  /** As superuser, above row-level security. */
  query(statement: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
};

export async function createAuditFixture(): Promise<AuditFixture> {
  const database = await createTestDatabase();
  const open = (url: string, name: string) => openTestPool({ url, applicationName: `test-${name}` });
  const pools = {
    app: open(database.appUrl, 'app'),
    relay: open(database.relayUrl, 'relay'),
    log: open(database.logUrl, 'log'),
  };
  const superuser = new Client({ connectionString: database.superuserUrl });
  await superuser.connect();
  const directory = await mkdtemp(join(tmpdir(), 'uos-audit-'));
  const clock = createClock();
  const deps = { clock, random: systemRandom };
  const recorder = postgresEventRecorder({ ...deps, source: 'uos/test' });
  const query = async (statement: string, values: unknown[] = []) =>
    (await superuser.query(statement, values)).rows;
  return {
    database,
    pools,
    directory,
    clock,
    log: {
      pool: pools.log,
      store: postgresAuditLogStore,
      clock,
      auditOrigin,
      signingKey: generateKeyPairSync('ed25519').privateKey,
      createEvent: toCloudEvent.bind(undefined, { ...deps, source: 'uos/audit-ingest' }),
    },
    exporting: {
      pool: pools.log,
      exports: postgresAuditExportStore,
      logs: postgresAuditLogStore,
      objects: createDirectoryObjectStore(directory, deps),
      events: postgresEventRecorder({ ...deps, source: 'uos/audit-export' }),
      clock,
    },
    sealing: {
      ...deps,
      pool: pools.log,
      objects: createDirectoryObjectStore(directory, deps),
      events: postgresEventRecorder({ ...deps, source: 'uos/authorize' }),
      journal: postgresDecisionJournal(pools.log),
      segments: postgresDecisionSegmentStore,
      logger: silentLogger,
    },
    createOrganization: async () => {
      const id = organizationId.create(deps);
      await query(
        `insert into organization (org_id, name, display_name, status, managed_by, created_at, updated_at)
         values ($1, $2, 'Test', 'active', 'api', now(), now())`,
        [id, id.replace('_', '-')],
      );
      return id;
    },
    record: (organization, name) =>
      withOrg(pools.app, organization, (tx) =>
        recorder.record(tx, organization, {
          type: 'uos.organization.created.v1',
          subject: organization,
          actor: { type: 'system', id: 'test' },
          data: { name, managedBy: 'api' },
        }),
      ),
    recordAll: async (events) => {
      await query(
        `insert into audit_event (org_id, event_id, type, subject, actor_type, actor_id, occurred_at, leaf)
         select e ->> 'orgid', e ->> 'id', e ->> 'type', e ->> 'subject', 'system', 'test',
                (e ->> 'time')::timestamptz, leaf
         from unnest($1::text[]) leaf, lateral (select leaf::jsonb) parsed (e)`,
        [events.map(toLeaf)],
      );
    },
    query,
    close: async () => {
      await Promise.all(Object.values(pools).map((pool) => pool.close()));
      await superuser.end();
      await database.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function createClock() {
  let now = new Date(start);
  return {
    now: () => new Date(now),
    set: (iso: string) => {
      now = new Date(iso);
    },
    advance: (ms: number) => {
      now = new Date(now.getTime() + ms);
    },
  };
}

export type ServedFunction = { readonly url: string; close(): Promise<void> };

/** A function as its composition root serves it, on a free port. */
export async function serveFunction(
  name: string,
  listener: FunctionOptions['listener'],
  options: { bodyBytesMax?: number } = {},
): Promise<ServedFunction> {
  const deps = { clock: { now: () => new Date(start) }, random: systemRandom, logger: silentLogger };
  const server = createFunctionServer(deps, { name, listener, ...options });
  const served = await serve(silentLogger, server, { port: 0, host: '127.0.0.1' });
  return { url: `http://127.0.0.1:${served.port}/`, close: served.close };
}

/** Sends an event in structured mode, as the relay's other side does; resolves with the status. */
export async function send(url: string, body: string): Promise<number> {
  const headers = { 'content-type': 'application/cloudevents+json' };
  const response = await fetch(url, { method: 'POST', headers, body });
  await response.arrayBuffer();
  return response.status;
}

export const tick = JSON.stringify({
  specversion: '1.0',
  id: 'tick',
  source: '/apis/v1/namespaces/test/pingsources/test',
  type: 'dev.knative.sources.ping',
  data: {},
});

/** Waits until the work says so; fails after thirty seconds. */
export async function eventually<T>(work: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const found = await work();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error('It did not come about within thirty seconds');
    await pause(10);
  }
}

/** The row of a log, as it is stored. */
export async function findHead(
  fixture: AuditFixture,
  organization: OrganizationId,
  day: string,
): Promise<Record<string, unknown> | undefined> {
  const [row] = await fixture.query('select * from audit_log where org_id = $1 and log_id = $2', [
    organization,
    day,
  ]);
  return row;
}

/** Our verifier over the published files. */
export async function verifyPublishedLog(fixture: AuditFixture, organization: OrganizationId, day: string) {
  const head = await findHead(fixture, organization, day);
  const key = parseVerifierKey(String(head?.['verifier_key']));
  if (!key.ok) throw new Error(key.failure.reason);
  const path = join(fixture.directory, 'audit', organization, day);
  return verifyLog({ key: key.value, read: (file) => readFile(join(path, file)) });
}
