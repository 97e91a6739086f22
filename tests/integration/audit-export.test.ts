import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHandler } from '../../functions/audit-export/handler.ts';
import { postgresAuditExportStore } from '../../shared/audit/audit-export-store.postgres.ts';
import { postgresAuditTrailStore } from '../../shared/audit/audit-trail-store.postgres.ts';
import {
  type AuditExport,
  appendEvents,
  createLogPublisher,
  findExport,
  listTrail,
  requestExport,
  runExport,
  verifyExport,
} from '../../shared/audit/index.ts';
import { postgresEventRecorder } from '../../shared/events/event-recorder.postgres.ts';
import { parseLeaf } from '../../shared/events/index.ts';
import { createMemoryPublisher } from '../../shared/events/publisher.memory.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { drainOutbox } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createVerifierKey, formatVerifierKey } from '../../shared/tlog/index.ts';
import { type AuditFixture, createAuditFixture, send, serveFunction, tick } from './audit-fixture.ts';

const run = promisify(execFile);
const actor = { type: 'user', id: 'usr_1' } as const;
const at = (iso: string) => new Date(iso);

let fixture: AuditFixture;
beforeAll(async () => {
  fixture = await createAuditFixture();
});
afterAll(() => fixture.close());

const requesting = () => ({
  pool: fixture.pools.app,
  store: postgresAuditExportStore,
  events: postgresEventRecorder({ clock: fixture.clock, random: systemRandom, source: 'uos/admin' }),
  clock: fixture.clock,
  random: systemRandom,
});

/** Everything recorded goes into the log; returns the messages for other topics. */
async function relayAll(): Promise<string[]> {
  const memory = createMemoryPublisher();
  await drainOutbox({ pool: fixture.pools.relay, store: postgresOutboxStore, publisher: memory });
  for (const { topic, value, key } of memory.accepted) {
    const event = parseLeaf(value.toString());
    if (topic === 'audit.identity' && event.ok)
      await appendEvents(fixture.log, key as OrganizationId, [event.value]);
  }
  return memory.accepted.filter(({ topic }) => topic !== 'audit.identity').map(({ value }) => `${value}`);
}

/** Three days of events, the window being from the middle of the first to the middle of the last. */
async function threeDays(): Promise<{ organization: OrganizationId; expected: string[] }> {
  const organization = await fixture.createOrganization();
  const expected: string[] = [];
  for (const day of ['2026-03-01', '2026-03-02', '2026-03-03']) {
    for (const hour of ['06', '10', '13', '18']) {
      fixture.clock.set(`${day}T${hour}:00:00.000Z`);
      const id = await fixture.record(organization, `${day} ${hour}`);
      await relayAll();
      const isInWindow = `${day}T${hour}` >= '2026-03-01T12' && `${day}T${hour}` < '2026-03-03T12';
      if (isInWindow) expected.push(id);
    }
  }
  fixture.clock.set('2026-03-04T09:00:00.000Z');
  return { organization, expected };
}

async function request(organizationId: OrganizationId, from: string, to: string): Promise<AuditExport> {
  const requested = await requestExport(requesting(), {
    organizationId,
    actor,
    from: at(from),
    to: at(to),
  });
  if (!requested.ok) throw new Error(requested.failure.code);
  return requested.value;
}

async function exported(): Promise<{ export: AuditExport; directory: string; expected: string[] }> {
  const { organization, expected } = await threeDays();
  const requested = await request(organization, '2026-03-01T12:00:00Z', '2026-03-03T12:00:00Z');
  await relayAll();
  expect(await runExport(fixture.exporting, requested)).toEqual({ ok: true, value: 'ready' });
  const found = await findExport(requesting(), { organizationId: organization, exportId: requested.id });
  if (!found.ok) throw new Error('not found');
  return {
    export: found.value,
    directory: join(fixture.directory, found.value.objectPrefix ?? ''),
    expected,
  };
}

async function filesOf(directory: string): Promise<Map<string, Buffer>> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const contents = await Promise.all(
    paths
      .sort()
      .map(async (path): Promise<[string, Buffer]> => [relative(directory, path), await readFile(path)]),
  );
  return new Map(contents);
}

const readerOf = (directory: string) => (path: string) =>
  readFile(join(directory, path)).catch(() => undefined);
const verify = (directory: string, trustedKey?: string) =>
  verifyExport({ read: readerOf(directory), ...(trustedKey === undefined ? {} : { trustedKey }) });

describe('an export', () => {
  test('holds exactly the events of its window, each with its proof, and whole logs', async () => {
    const { export: ready, directory, expected } = await exported();
    const files = await filesOf(directory);
    const text = [...files].filter(([path]) => path.startsWith('events/')).map(([, bytes]) => `${bytes}`);
    const events = text.join('').trimEnd().split('\n').map(parseLeaf);
    const own = events.flatMap((event) => (event.ok ? [event.value] : []));
    expect(own.filter(({ type }) => type === 'uos.organization.created.v1').map(({ id }) => id)).toEqual(
      expected,
    );
    // Opening and closing of logs are events of the window like any other.
    expect(ready).toMatchObject({ status: 'ready', events: own.length });
    expect(own.every(({ time }) => ready.from <= at(time) && at(time) < ready.to)).toBe(true);
    expect(await verify(directory)).toMatchObject({
      ok: true,
      value: { findings: [], manifest: { events: own.length }, logs: { length: 3 } },
    });
    const recorded = await fixture.query('select data from (select leaf::jsonb as data from audit_event) e');
    expect(recorded.map((row) => row['data'])).toContainEqual(
      expect.objectContaining({ type: 'uos.audit-export.completed.v1', subject: ready.id }),
    );
  });

  test('run again, also when the log has grown meanwhile, is the same to the byte', async () => {
    const { export: ready, directory } = await exported();
    const before = await filesOf(directory);
    await fixture.record(ready.organizationId, 'later');
    await relayAll();
    await rm(join(directory, 'MANIFEST.json'));
    await rm(join(directory, 'events'), { recursive: true });
    await fixture.query(`update audit_export set status = 'running' where export_id = $1`, [ready.id]);
    expect(await runExport(fixture.exporting, ready)).toEqual({ ok: true, value: 'ready' });
    expect(await filesOf(directory)).toEqual(before);
    expect(await runExport(fixture.exporting, ready)).toEqual({ ok: true, value: 'ended_before' });
  });

  test('run by two at once is ready once', async () => {
    const organization = await fixture.createOrganization();
    fixture.clock.set('2026-03-04T10:00:00.000Z');
    await fixture.record(organization, 'once');
    fixture.clock.advance(1000);
    const requested = await request(organization, '2026-03-04T00:00:00Z', '2026-03-05T00:00:00Z');
    await relayAll();
    const runs = await Promise.all([1, 2].map(() => runExport(fixture.exporting, requested)));
    expect(runs.map((one) => one.ok && one.value).sort()).toEqual(['ended_before', 'ready']);
  });

  test('of a window without events is ready and empty', async () => {
    const organization = await fixture.createOrganization();
    const requested = await request(organization, '2026-02-01T00:00:00Z', '2026-02-02T00:00:00Z');
    expect(await runExport(fixture.exporting, requested)).toEqual({ ok: true, value: 'ready' });
    const directory = join(fixture.directory, 'exports', organization, requested.id);
    expect(await verify(directory)).toMatchObject({ ok: true, value: { findings: [], logs: [] } });
  });

  test('waits for events that are still on their way into the log, and gives up on those that never come', async () => {
    const organization = await fixture.createOrganization();
    fixture.clock.set('2026-03-04T10:00:00.000Z');
    await fixture.record(organization, 'slow');
    fixture.clock.advance(1000);
    const requested = await request(organization, '2026-03-04T00:00:00Z', '2026-03-05T00:00:00Z');
    expect(await runExport(fixture.exporting, requested)).toMatchObject({
      failure: { code: 'audit_export.trail_pending', missing: 1 },
    });
    fixture.clock.advance(901_000);
    expect(await runExport(fixture.exporting, requested)).toEqual({ ok: true, value: 'failed' });
    expect(
      await findExport(requesting(), { organizationId: organization, exportId: requested.id }),
    ).toMatchObject({ value: { status: 'failed', failure: 'audit_export.trail_incomplete' } });
  });

  // Threat: whoever can write the database changes the past and then exports it.
  test('of entries that were changed in the database fails', async () => {
    const { organization } = await threeDays();
    const requested = await request(organization, '2026-03-01T12:00:00Z', '2026-03-03T12:00:00Z');
    await relayAll();
    await fixture.query(
      `update audit_entry set leaf = replace(leaf, 'created', 'removed') where org_id = $1 and entry_index = 2`,
      [organization],
    );
    expect(await runExport(fixture.exporting, requested)).toEqual({ ok: true, value: 'failed' });
  });

  test('is asked for by an event, and found by the tick when the event was lost', async () => {
    const organization = await fixture.createOrganization();
    fixture.clock.set('2026-03-05T10:00:00.000Z');
    await fixture.record(organization, 'asked');
    fixture.clock.advance(1000);
    const publisher = createLogPublisher({
      pool: fixture.pools.log,
      store: fixture.log.store,
      objects: fixture.exporting.objects,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    });
    const served = await serveFunction(
      'audit-export',
      createHandler({
        exporting: fixture.exporting,
        publisher,
        sealing: fixture.sealing,
        logger: silentLogger,
        trailWait: { attemptsMax: 2, pauseMs: 1 },
      }),
    );
    try {
      const asked = await request(organization, '2026-03-05T00:00:00Z', '2026-03-06T00:00:00Z');
      const [early] = await fixture.query(
        `select payload from outbox where topic = 'audit-export.requested'`,
      );
      expect(await send(served.url, String(early?.['payload']))).toBe(503);
      const [event = ''] = await relayAll();
      expect(await send(served.url, event)).toBe(204);
      expect(await send(served.url, event)).toBe(204);
      expect(await send(served.url, event.replace(asked.id, 'exp_00000000000000000000000000'))).toBe(400);
      const lost = await request(organization, '2026-03-05T00:00:00Z', '2026-03-06T00:00:00Z');
      await relayAll();
      fixture.clock.advance(30_000);
      expect(await send(served.url, tick)).toBe(204);
      for (const { id } of [asked, lost])
        expect(await findExport(requesting(), { organizationId: organization, exportId: id })).toMatchObject({
          value: { status: 'ready' },
        });
      expect(await fixture.query('select 1 from audit_log where published_size < size')).toEqual([]);
    } finally {
      await served.close();
      await publisher.close();
    }
  });
});

describe('a request for an export', () => {
  test.each([
    ['ends before it begins', '2026-03-02T00:00:00Z', '2026-03-01T00:00:00Z', 'audit_export.window_empty'],
    ['lies in the future', '2027-03-01T00:00:00Z', '2027-03-02T00:00:00Z', 'audit_export.window_empty'],
    ['is 32 days long', '2026-01-01T00:00:00Z', '2026-02-02T00:00:00Z', 'audit_export.window_too_long'],
  ])('that %s is refused', async (_what, from, to, code) => {
    const organizationId = await fixture.createOrganization();
    const input = { organizationId, actor, from: at(from), to: at(to) };
    expect(await requestExport(requesting(), input)).toMatchObject({ ok: false, failure: { code } });
  });

  test('by another organization does not find it', async () => {
    const organization = await fixture.createOrganization();
    const other = await fixture.createOrganization();
    const requested = await request(organization, '2026-02-01T00:00:00Z', '2026-02-02T00:00:00Z');
    // Also with the role that may find all of them for its sweep.
    for (const pool of [fixture.pools.app, fixture.pools.log])
      expect(
        await findExport({ ...requesting(), pool }, { organizationId: other, exportId: requested.id }),
      ).toMatchObject({ failure: { code: 'audit_export.not_found' } });
    const stolen = { organizationId: other, id: requested.id };
    expect(await runExport(fixture.exporting, stolen)).toMatchObject({
      failure: { code: 'audit_export.not_found' },
    });
  });
});

describe('the verifier', () => {
  const tampered = async (source: string, path: string, change: (bytes: Buffer) => Buffer) => {
    const directory = await mkdtemp(join(fixture.directory, 'tampered-'));
    await cp(source, directory, { recursive: true });
    await writeFile(join(directory, path), change(await readFile(join(directory, path))));
    return directory;
  };
  const flip = (offset: number) => (bytes: Buffer) => {
    bytes.writeUInt8((bytes[offset] ?? 0) ^ 1, offset);
    return bytes;
  };

  let source: string;
  let names: { day: string; index: number; eventId: string }[];
  beforeAll(async () => {
    ({ directory: source } = await exported());
    const proofs = await readFile(join(source, 'proofs/2026-03-02.ndjson'), 'utf8');
    names = proofs
      .trimEnd()
      .split('\n')
      .map((line) => ({ day: '2026-03-02', ...JSON.parse(line), proof: undefined }));
  });

  test('names the entry of which one exported byte was changed', async () => {
    const lines = (await readFile(join(source, 'events/2026-03-02.ndjson'), 'utf8')).split('\n');
    const offset = Buffer.byteLength(`${lines[0]}\n${lines[1]}\n`) + 40;
    const directory = await tampered(source, 'events/2026-03-02.ndjson', flip(offset));
    const verified = await verify(directory);
    expect(verified.ok && verified.value.findings[0]).toMatchObject({
      entry: { day: '2026-03-02', index: names[2]?.index, eventId: names[2]?.eventId },
    });
  });

  test('names the entry of which one logged byte was changed', async () => {
    const [bundle = ''] = [...(await filesOf(join(source, 'log/2026-03-02'))).keys()].filter((path) =>
      path.startsWith('tile/entries'),
    );
    const bytes = await readFile(join(source, 'log/2026-03-02', bundle));
    const offset = bytes.indexOf(names[2]?.eventId ?? '') + 60;
    const directory = await tampered(source, `log/2026-03-02/${bundle}`, flip(offset));
    const verified = await verify(directory);
    expect(verified.ok && verified.value.findings[0]).toMatchObject({
      entry: { day: '2026-03-02', index: names[2]?.index },
    });
  });

  test('finds any single byte that was changed in any file', async () => {
    for (const [path, bytes] of await filesOf(source)) {
      const offset = Math.floor(bytes.length / 2);
      const verified = await verify(await tampered(source, path, flip(offset)));
      // A manifest may also no longer be one.
      if (verified.ok) expect(verified.value.findings, path).not.toEqual([]);
    }
  });

  // Threat: whoever hands the export on leaves out a line, its proof, and their trace in the manifest.
  test('names an event that was left out together with its proof', async () => {
    const without = (line: number) => (bytes: Buffer) =>
      Buffer.from(bytes.toString().split('\n').toSpliced(line, 1).join('\n'));
    let directory = await tampered(source, 'events/2026-03-02.ndjson', without(1));
    await writeFile(
      join(directory, 'proofs/2026-03-02.ndjson'),
      without(1)(await readFile(join(directory, 'proofs/2026-03-02.ndjson'))),
    );
    directory = await tampered(directory, 'MANIFEST.json', (bytes) =>
      Buffer.from(
        bytes
          .toString()
          .replace(/("day": "2026-03-02"[^}]*"events": )(\d+)/, (_all, head, count) => `${head}${count - 1}`),
      ),
    );
    const verified = await verify(directory);
    expect(verified.ok && verified.value.findings[0]).toMatchObject({
      problem: 'an event is left out',
      entry: { index: names[1]?.index, eventId: names[1]?.eventId },
    });
  });

  test('refuses an export whose key is not the one that is trusted', async () => {
    const key = await readFile(join(source, 'vkeys/2026-03-01.vkey'), 'utf8');
    expect(await verify(source, key)).toMatchObject({ value: { findings: [] } });
    const { publicKey } = generateKeyPairSync('ed25519');
    const foreign = formatVerifierKey(createVerifierKey({ name: 'audit.example.com', publicKey }));
    expect(await verify(source, foreign)).toMatchObject({ value: { findings: { length: 3 } } });
  });

  test('has a command line that prints a line a log and a verdict, and exits with 1 for damage', async () => {
    const command = (directory: string) =>
      run(process.execPath, ['knative/local/audit-verify.ts', directory]).catch((error: unknown) => error);
    expect(await command(source)).toMatchObject({
      stdout: expect.stringMatching(/VERIFIED \d+ events of org_.*\n$/),
    });
    const directory = await tampered(source, 'events/2026-03-02.ndjson', flip(300));
    const refused = await command(directory);
    expect(refused).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /\nREFUSED .*entry \d+ \(evt_\w+\) of the log of 2026-03-02 is damaged.*\n$/,
      ),
    });
    expect(await command(join(source, 'nothing'))).toMatchObject({ code: 1 });
  });
});

describe('the trail', () => {
  test('is read newest first, page by page, of one organization alone', async () => {
    const organization = await fixture.createOrganization();
    const other = await fixture.createOrganization();
    const ids: string[] = [];
    for (let number = 0; number < 5; number++) {
      fixture.clock.advance(10);
      await fixture.record(other, 'other');
      ids.unshift(await fixture.record(organization, `${number}`));
    }
    const deps = { pool: fixture.pools.app, store: postgresAuditTrailStore };
    const first = await listTrail(deps, { organizationId: organization, limit: 2 });
    const before = first.at(-1)?.id ?? '';
    const second = await listTrail(deps, { organizationId: organization, limit: 10, before });
    expect([...first, ...second].map(({ id }) => id)).toEqual(ids);
    const bySubject = { organizationId: organization, limit: 10, subject: other };
    expect(await listTrail(deps, bySubject)).toEqual([]);
  });
});
