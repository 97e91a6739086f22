import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createHandler } from '../../functions/audit-ingest/handler.ts';
import { appendEvents, createLogPublisher, type LogPublisher } from '../../shared/audit/index.ts';
import type { CloudEvent } from '../../shared/events/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { ObjectStore } from '../../shared/object-store/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import {
  type AuditFixture,
  createAuditFixture,
  findHead,
  type ServedFunction,
  send,
  serveFunction,
  tick,
  verifyPublishedLog,
} from './audit-fixture.ts';

let fixture: AuditFixture;
let publisher: LogPublisher;
let served: ServedFunction;
let organization: OrganizationId;
let recorded = 0;

beforeAll(async () => {
  fixture = await createAuditFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  organization = await fixture.createOrganization();
  publisher = publisherOver(fixture.exporting.objects);
  const listener = createHandler({ log: fixture.log, publisher, logger: silentLogger });
  served = await serveFunction('audit-ingest', listener);
});
afterEach(async () => {
  await served.close();
  await publisher.close();
});

const publisherOver = (objects: ObjectStore) =>
  createLogPublisher({
    pool: fixture.pools.log,
    store: fixture.log.store,
    objects,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });

const verifyPublished = (day: string) => verifyPublishedLog(fixture, organization, day);

/** Records so many events and appends them, all in one batch. */
async function appendMany(count: number): Promise<void> {
  const events = Array.from({ length: count }, (): CloudEvent => {
    const id = `evt_${recorded++}`;
    return {
      specversion: '1.0',
      id,
      source: 'uos/test',
      type: 'uos.organization.created.v1',
      subject: organization,
      time: fixture.clock.now().toISOString(),
      orgid: organization,
      partitionkey: organization,
      data: { name: id },
    };
  });
  await fixture.recordAll(events);
  await appendEvents(fixture.log, organization, events);
}

describe('publishing', () => {
  test('that fails at any object is finished by a tick, and no checkpoint is ever seen before its files', async () => {
    const { objects } = fixture.exporting;
    for (let failAt = 1; failAt <= 4; failAt++) {
      await appendMany(1);
      let puts = 0;
      const failing = publisherOver({
        ...objects,
        put: async (...given) => {
          if (++puts === failAt) throw new Error('the object store is down');
          await objects.put(...given);
        },
      });
      expect(await failing.sweep()).toBe(failAt === 4 ? 1 : 0);
      const seen = await verifyPublished('2026-03-01').catch(() => undefined);
      if (seen !== undefined) expect(seen).toMatchObject({ ok: true });
      expect(await send(served.url, tick)).toBe(204);
      expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: failAt + 1 } });
    }
  });

  test('by ticks that pile up behind a slow object store is done once for all of them', async () => {
    await appendMany(1);
    const { objects } = fixture.exporting;
    const opened = Promise.withResolvers<void>();
    const slow = publisherOver({
      ...objects,
      put: (...given) => opened.promise.then(() => objects.put(...given)),
    });
    const sweeps = [1, 2, 3].map(() => slow.sweep());
    opened.resolve();
    expect(await Promise.all(sweeps)).toEqual([1, 1, 1]);
    expect(await slow.sweep()).toBe(0);
  });

  // A bucket may hold its objects against deletion; publishing would start over from the same size for ever.
  test('goes on in a store that forbids deletion', async () => {
    const undeleting = publisherOver({
      ...fixture.exporting.objects,
      delete: () => Promise.reject(new Error('AccessDenied')),
    });
    for (let round = 0; round < 4; round++) {
      await appendMany(100);
      await undeleting.sweep();
      expect(await findHead(fixture, organization, '2026-03-01')).toMatchObject({
        published_size: `${round * 100 + 101}`,
      });
    }
    expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: 401 } });
  });

  test('of a log that fills its tiles leaves no partial one behind', async () => {
    for (let round = 0; round < 6; round++) {
      await appendMany(100);
      await publisher.sweep();
    }
    expect(await verifyPublished('2026-03-01')).toMatchObject({ ok: true, value: { size: 601 } });
    const tiles = join(fixture.directory, 'audit', organization, '2026-03-01', 'tile', '0');
    const files = await readdir(tiles, { recursive: true, withFileTypes: true });
    const names = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name));
    const paths = names.map((name) => name.slice(tiles.length + 1)).sort();
    expect(paths).toEqual(['000', '001', '002.p/89']);
    // Nobody waits for a lease that its holder could have given back.
    expect(await fixture.query(`select name from lease where expires_at > now()`)).toEqual([]);
  });
});
