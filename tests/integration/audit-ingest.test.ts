import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHandler } from '../../functions/audit-ingest/handler.ts';
import { appendEvents, createLogPublisher, type LogPublisher } from '../../shared/audit/index.ts';
import { type CloudEvent, parseLeaf } from '../../shared/events/index.ts';
import { createMemoryPublisher } from '../../shared/events/publisher.memory.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { drainOutbox } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { appendLeaves, hashLeaf } from '../../shared/tlog/index.ts';
import {
  type AuditFixture,
  auditOrigin,
  createAuditFixture,
  findHead,
  type ServedFunction,
  send,
  serveFunction,
  verifyPublishedLog,
} from './audit-fixture.ts';

let fixture: AuditFixture;
let publisher: LogPublisher;
let served: ServedFunction;
let organization: OrganizationId;

beforeAll(async () => {
  fixture = await createAuditFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  fixture.clock.set('2026-03-01T10:00:00.000Z');
  organization = await fixture.createOrganization();
  publisher = createLogPublisher({
    pool: fixture.pools.log,
    store: fixture.log.store,
    objects: fixture.exporting.objects,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  served = await serveFunction(
    'audit-ingest',
    createHandler({ log: fixture.log, publisher, logger: silentLogger }),
  );
});
afterEach(async () => {
  await served.close();
  await publisher.close();
});

/** What the relay would send of these events. */
async function recordAndRelay(names: readonly string[]): Promise<string[]> {
  for (const name of names) await fixture.record(organization, name);
  const memory = createMemoryPublisher();
  await drainOutbox({ pool: fixture.pools.relay, store: postgresOutboxStore, publisher: memory });
  return memory.accepted.map(({ value }) => value.toString());
}

const leavesOf = async (day: string) =>
  (
    await fixture.query(
      'select leaf from audit_entry where org_id = $1 and log_id = $2 order by entry_index',
      [organization, day],
    )
  ).map((row) => String(row['leaf']));

const headOf = (day: string) => findHead(fixture, organization, day);

/** The log's head and its one tile, as one row. */
const rowsOf = () =>
  fixture.query('select * from audit_log join audit_tile using (org_id, log_id) where org_id = $1', [
    organization,
  ]);

async function writeRows({ size, root_hash, hashes }: Record<string, unknown>): Promise<void> {
  await fixture.query('update audit_log set size = $2, root_hash = $3 where org_id = $1', [
    organization,
    size,
    root_hash,
  ]);
  await fixture.query('update audit_tile set hashes = $2 where org_id = $1', [organization, hashes]);
}

const eventOf = (leaf: string | undefined): CloudEvent => {
  const parsed = parseLeaf(leaf ?? '');
  if (!parsed.ok) throw new Error(parsed.failure.reason);
  return parsed.value;
};

async function verifyPublished(day: string) {
  await publisher.close();
  return verifyPublishedLog(fixture, organization, day);
}

describe('an event', () => {
  test('becomes, byte for byte, an entry of the published log of its organization and day', async () => {
    const sent = await recordAndRelay(['a', 'b', 'c']);
    for (const leaf of sent) expect(await send(served.url, leaf)).toBe(204);
    const [opened, ...leaves] = await leavesOf('2026-03-01');
    const origin = `${auditOrigin}/audit/${organization}/2026-03-01`;
    expect(eventOf(opened)).toMatchObject({
      type: 'uos.audit-log.opened.v1',
      data: { origin, day: '2026-03-01' },
    });
    expect(leaves).toEqual(sent);
    expect(await headOf('2026-03-01')).toMatchObject({ origin, status: 'open' });
    expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: 4 } });
  });

  test('is the same entry when it arrives in binary mode, with what the way added to it', async () => {
    const [leaf = ''] = await recordAndRelay(['binary']);
    const { data, datacontenttype, ...attributes } = eventOf(leaf);
    const headers = Object.entries({ ...attributes, traceparent: '00-1', kafkaoffset: '7' }).map(
      ([name, value]): [string, string] => [`ce-${name}`, String(value)],
    );
    const response = await fetch(served.url, {
      method: 'POST',
      headers: [...headers, ['content-type', `${datacontenttype}; charset=utf-8`]],
      body: JSON.stringify(data, null, 2),
    });
    expect(response.status).toBe(204);
    expect((await leavesOf('2026-03-01'))[1]).toBe(leaf);
  });

  test('that comes twice is in the log once, and both senders hear that it is', async () => {
    const [leaf = ''] = await recordAndRelay(['twice']);
    const statuses = await Promise.all([1, 2, 3].map(() => send(served.url, leaf)));
    expect(statuses).toEqual([204, 204, 204]);
    fixture.clock.set('2026-03-02T10:00:00.000Z');
    expect(await send(served.url, leaf)).toBe(204);
    expect(await leavesOf('2026-03-01')).toHaveLength(2);
    expect(await headOf('2026-03-02')).toBeUndefined();
  });
});

describe('appending', () => {
  test('keeps every one of twenty events that arrive at once, each at an index of its own', async () => {
    const sent = await recordAndRelay(Array.from({ length: 20 }, (_, number) => `${number}`));
    const statuses = await Promise.all(sent.map((leaf) => send(served.url, leaf)));
    expect(new Set(statuses)).toEqual(new Set([204]));
    const leaves = await leavesOf('2026-03-01');
    expect(new Set(leaves.slice(1))).toEqual(new Set(sent));
    expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: 21 } });
  });

  test('by two instances at once gives one log with every event', async () => {
    const sent = await recordAndRelay(Array.from({ length: 20 }, (_, number) => `${number}`));
    await Promise.all(
      sent.map((leaf) => appendEvents(fixture.log, organization, [eventOf(leaf), eventOf(sent[0])])),
    );
    expect(await leavesOf('2026-03-01')).toHaveLength(21);
    await publisher.sweep();
    expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: 21 } });
  });

  test('over the end of a day seals one log and opens the next with its final checkpoint', async () => {
    const [first = '', second = ''] = await recordAndRelay(['late', 'early']);
    await send(served.url, first);
    fixture.clock.set('2026-03-02T00:00:00.001Z');
    await send(served.url, second);
    const old = await leavesOf('2026-03-01');
    expect(eventOf(old.at(-1))).toMatchObject({ type: 'uos.audit-log.closed.v1', data: { entries: 3 } });
    const sealed = await headOf('2026-03-01');
    expect(sealed).toMatchObject({ size: '3', status: 'sealed' });
    const [opened, entry] = await leavesOf('2026-03-02');
    expect(eventOf(opened).data).toMatchObject({ previousCheckpoint: sealed?.['checkpoint'] });
    expect(entry).toBe(second);
    expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: 3 } });
    expect(await verifyPublished('2026-03-02')).toMatchObject({ ok: true, value: { size: 2 } });
  });

  // Clocks of two instances differ; the one behind must not reopen what the other has closed.
  test('by a clock that is behind goes on in the newest log', async () => {
    const [first = '', second = ''] = await recordAndRelay(['ahead', 'behind']);
    fixture.clock.set('2026-03-02T00:00:00.001Z');
    await send(served.url, first);
    fixture.clock.set('2026-03-01T23:59:59.999Z');
    expect(await send(served.url, second)).toBe(204);
    expect(await leavesOf('2026-03-02')).toHaveLength(3);
    expect(await headOf('2026-03-01')).toBeUndefined();
  });

  // Threat: whoever can write the database changes an entry, and the next append signs what follows from it.
  test('to rows that are not what was signed is put off, and nothing new is signed', async () => {
    const sent = await recordAndRelay(['changed', 'held', 'after']);
    const [changed = '', held = '', after = ''] = sent;
    await send(served.url, changed);
    await send(served.url, held);
    const [honest] = await rowsOf();
    const forged = appendLeaves({
      size: 0,
      tiles: [],
      leafHashes: (await leavesOf('2026-03-01')).map((leaf) =>
        hashLeaf(Buffer.from(leaf.replace('"changed"', '"forged"'))),
      ),
    });
    const tile = Buffer.from(forged.tiles[0]?.hashes ?? []);
    for (const change of [{ hashes: tile }, { hashes: tile, root_hash: forged.root }, { size: 2 }]) {
      await writeRows({ ...honest, ...change });
      expect(await send(served.url, after)).toBe(503);
      expect(await headOf('2026-03-01')).toMatchObject({ checkpoint: honest?.['checkpoint'] });
    }
    await writeRows({ ...honest });
    expect(await send(served.url, after)).toBe(204);
    expect((await leavesOf('2026-03-01')).slice(1)).toEqual(sent);
  });
});
