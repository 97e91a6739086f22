import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnGuarded } from '../../knative/local/guarded-process.ts';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { requestExport } from '../../shared/audit/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import {
  type AuditFixture,
  auditOrigin,
  createAuditFixture,
  eventually,
  send,
  tick,
} from '../integration/audit-fixture.ts';
import { startTopicRouter, type TopicRouter } from './audit-topic-router.ts';

/** The three functions as they are deployed: composition roots in processes of their own, over HTTP. */
const root = join(import.meta.dirname, '../..');
const names = ['outbox-relay', 'audit-ingest', 'audit-export'] as const;
type Name = (typeof names)[number];
type Child = ReturnType<typeof spawnGuarded>;

let fixture: AuditFixture;
let router: TopicRouter;
let signingKeyFile: string;
const children = new Map<Name, Child>();
let relayUrl = '';

beforeAll(async () => {
  fixture = await createAuditFixture();
  router = await startTopicRouter();
  signingKeyFile = join(fixture.directory, 'audit-key.pem');
  const pem = String(fixture.log.signingKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(signingKeyFile, pem, { mode: 0o600 });
  await Promise.all(names.map(start));
});
afterAll(async () => {
  await Promise.all([...children.values()].map((child) => child.stop()));
  await router.close();
  await fixture.close();
});

async function start(name: Name): Promise<void> {
  const listening = Promise.withResolvers<number>();
  const lines: string[] = [];
  const child = spawnGuarded({
    command: process.execPath,
    args: [join(root, 'functions', name, 'index.ts')],
    cwd: root,
    env: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      DATABASE_URL: name === 'outbox-relay' ? fixture.database.relayUrl : fixture.database.logUrl,
      EVENT_PUBLISHER_URL: router.url,
      AUDIT_ORIGIN: auditOrigin,
      AUDIT_SIGNING_KEY_FILE: signingKeyFile,
      OBJECT_STORE_URL: pathToFileURL(fixture.directory).href,
      PORT: '0',
    },
    stopSignal: 'SIGTERM',
    onLine: (line) => {
      lines.push(line);
      const port = /"port":(\d+).*"Listening"/.exec(line)?.[1];
      if (port !== undefined) listening.resolve(Number(port));
    },
  });
  children.set(name, child);
  const died = child.ended.then((end) => Promise.reject(new Error(`${name}: ${end}\n${lines.join('\n')}`)));
  died.catch(() => undefined);
  const url = `http://127.0.0.1:${await Promise.race([listening.promise, died])}`;
  if (name === 'outbox-relay') relayUrl = url;
  if (name === 'audit-ingest') router.subscribe('audit.identity', url);
  if (name === 'audit-export') router.subscribe('audit-export.requested', url);
  await eventually(async () => ((await fetch(`${url}/health/ready`)).ok ? true : undefined));
}

async function killAndRestart(name: Name): Promise<void> {
  const child = children.get(name);
  if (child === undefined) throw new Error(`${name} is not running`);
  process.kill(child.pid, 'SIGKILL');
  await child.ended;
  await start(name);
}

test('every recorded event reaches the published log once, whatever is killed on the way', async () => {
  const organization = await fixture.createOrganization();
  const recorded: string[] = [];
  const recording = (async () => {
    for (let number = 0; number < 150; number++)
      recorded.push(await fixture.record(organization, `${number}`));
  })();
  for (const name of ['audit-ingest', 'outbox-relay', 'audit-ingest'] as const) await killAndRestart(name);
  await recording;
  const logged = await eventually(async () => {
    // As the schedule does: what the relay gave up on while ingest was away waits for the next tick.
    await send(relayUrl, tick);
    const rows = await fixture.query(
      `select event_id from audit_entry where org_id = $1 and source = 'uos/test' order by log_id, entry_index`,
      [organization],
    );
    return rows.length >= recorded.length ? rows.map((row) => row['event_id']) : undefined;
  });
  expect(logged).toEqual(recorded);
});

test('an export that is asked for is made, with nobody to push it', async () => {
  const organization = await fixture.createOrganization();
  const deps = { clock: systemClock, random: systemRandom };
  const now = systemClock.now();
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
      from: new Date(now.getTime() - 1000),
      to: now,
    },
  );
  if (!requested.ok) throw new Error(requested.failure.code);
  await eventually(async () => {
    const [row] = await fixture.query('select status from audit_export where export_id = $1', [
      requested.value.id,
    ]);
    return row?.['status'] === 'ready' || undefined;
  });
});
