import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHandler } from '../../functions/outbox-relay/handler.ts';
import { listen, withSystem } from '../../shared/db/index.ts';
import type { EventPublisher } from '../../shared/events/index.ts';
import { createMemoryPublisher } from '../../shared/events/publisher.memory.ts';
import { systemClock } from '../../shared/kernel/index.ts';
import { createOutboxRelay, drainOutbox } from '../../shared/outbox/index.ts';
import { postgresOutboxStore } from '../../shared/outbox/outbox-store.postgres.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { failingPool } from '../support/failing-pool.ts';
import {
  type AuditFixture,
  createAuditFixture,
  eventually,
  send,
  serveFunction,
  tick,
} from './audit-fixture.ts';

let fixture: AuditFixture;
beforeAll(async () => {
  fixture = await createAuditFixture();
});
afterAll(() => fixture.close());

const deps = (publisher: EventPublisher, pool = fixture.pools.relay) => ({
  pool,
  store: postgresOutboxStore,
  publisher,
  logger: silentLogger,
});
const relayOf = (publisher: EventPublisher) =>
  createOutboxRelay(deps(publisher), { attemptsMax: 3, firstPauseMs: 1 });
const idOf = (message: { value: string | Uint8Array }): string => JSON.parse(message.value.toString()).id;
const waiting = async () => (await fixture.query('select 1 from outbox')).length;

describe('the outbox', () => {
  test('leaves as the exact text that was recorded, in order, and is empty afterwards', async () => {
    const organization = await fixture.createOrganization();
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c']) ids.push(await fixture.record(organization, name));
    const publisher = createMemoryPublisher();
    expect(await drainOutbox(deps(publisher))).toEqual({ published: 3, isLedElsewhere: false });
    const [trail] = await fixture.query('select leaf from audit_event where event_id = $1', [ids[0]]);
    expect(publisher.accepted.map(idOf)).toEqual(ids);
    expect(publisher.accepted[0]).toEqual({
      topic: 'audit.identity',
      key: organization,
      value: trail?.['leaf'],
      contentType: 'application/cloudevents+json',
    });
    expect(await waiting()).toBe(0);
  });

  test('is drained past one batch, each organization in its own order', async () => {
    const organizations = [await fixture.createOrganization(), await fixture.createOrganization()];
    const recorded = new Map<string, string[]>(organizations.map((id) => [id, []]));
    for (let number = 0; number < 600; number++) {
      const organization = organizations[number % 2];
      if (organization !== undefined)
        recorded.get(organization)?.push(await fixture.record(organization, `${number}`));
    }
    const publisher = createMemoryPublisher();
    expect(await drainOutbox(deps(publisher))).toMatchObject({ published: 600 });
    for (const [organization, ids] of recorded) {
      expect(publisher.accepted.filter(({ key }) => key === organization).map(idOf)).toEqual(ids);
    }
  });

  // Threat: a batch over the broker's limit is refused for ever, and one tenant's long events stop everybody's.
  test('leaves in batches that a broker takes, however long its events are', async () => {
    const organization = await fixture.createOrganization();
    const ids: string[] = [];
    for (let number = 0; number < 40; number++)
      ids.push(await fixture.record(organization, 'x'.repeat(60_000)));
    const memory = createMemoryPublisher();
    const batches: number[] = [];
    const publish: EventPublisher['publish'] = (messages) => {
      batches.push(messages.reduce((bytes, { value }) => bytes + Buffer.byteLength(value), 0));
      return memory.publish(messages);
    };
    expect(await drainOutbox(deps({ ...memory, publish }))).toEqual({ published: 40, isLedElsewhere: false });
    expect(memory.accepted.map(idOf)).toEqual(ids);
    expect(Math.max(...batches)).toBeLessThan(800_000);
    expect(batches).toHaveLength(4);
    expect(await waiting()).toBe(0);
  });

  test('is kept whole while the publisher is down, and leaves when it is back', async () => {
    const organization = await fixture.createOrganization();
    const id = await fixture.record(organization, 'kept');
    const publisher = createMemoryPublisher();
    publisher.failure = new Error('down');
    await expect(relayOf(publisher).drain()).rejects.toThrow('Could not publish');
    expect(await waiting()).toBe(1);
    publisher.failure = undefined;
    await relayOf(publisher).drain();
    expect(publisher.accepted.map(idOf)).toEqual([id]);
  });

  // Two relays at once would send one organization's events out of order.
  test('is led by one relay at a time', async () => {
    const organization = await fixture.createOrganization();
    await fixture.record(organization, 'led');
    const publisher = createMemoryPublisher();
    await withSystem(fixture.pools.relay, async (tx) => {
      expect(await postgresOutboxStore.lead(tx)).toBe(true);
      expect(await drainOutbox(deps(publisher))).toEqual({ published: 0, isLedElsewhere: true });
    });
    expect(await drainOutbox(deps(publisher))).toEqual({ published: 1, isLedElsewhere: false });
  });

  test('loses nothing and repeats at most what was under way, whichever statement fails', async () => {
    const organization = await fixture.createOrganization();
    for (let atStatement = 1; ; atStatement++) {
      const id = await fixture.record(organization, `fault ${atStatement}`);
      const publisher = createMemoryPublisher();
      const pool = failingPool(fixture.pools.relay, { atStatement });
      const outcome = await drainOutbox(deps(publisher, pool)).catch(() => 'failed');
      await drainOutbox(deps(publisher));
      expect(new Set(publisher.accepted.map(idOf))).toEqual(new Set([id]));
      expect(await waiting()).toBe(0);
      if (!pool.hasFailed()) {
        expect(outcome).toMatchObject({ published: 1 });
        // begin, lead, list, delete, commit: each of them has failed.
        expect(atStatement).toBe(6);
        return;
      }
    }
  });
});

describe('the relay', () => {
  test('is woken by a commit, and has published within moments', async () => {
    const organization = await fixture.createOrganization();
    const publisher = createMemoryPublisher();
    const relay = relayOf(publisher);
    const feed = listen({
      url: fixture.database.relayUrl,
      applicationName: 'test-feed',
      channels: ['outbox'],
      clock: systemClock,
      onNotification: relay.wake,
      onConnected: relay.wake,
    });
    try {
      await eventually(() => feed.freshAsOf());
      const ids: string[] = [];
      for (let number = 0; number < 20; number++) ids.push(await fixture.record(organization, `${number}`));
      await eventually(() => publisher.accepted.length >= 20 || undefined);
      expect(publisher.accepted.map(idOf)).toEqual(ids);
    } finally {
      await feed.close();
      await relay.close();
    }
  });

  test('answers a tick only when what waited is out', async () => {
    const organization = await fixture.createOrganization();
    const publisher = createMemoryPublisher();
    const relay = relayOf(publisher);
    const served = await serveFunction('outbox-relay', createHandler({ relay, logger: silentLogger }));
    try {
      const id = await fixture.record(organization, 'tick');
      expect(await send(served.url, tick)).toBe(204);
      expect(publisher.accepted.map(idOf)).toEqual([id]);
      publisher.failure = new Error('down');
      await fixture.record(organization, 'tick');
      expect(await send(served.url, tick)).toBe(503);
      publisher.failure = undefined;
      expect(await send(served.url, tick)).toBe(204);
    } finally {
      await served.close();
    }
  });

  test('publishes what was committed while a drain was under way, with one drain at a time', async () => {
    const organization = await fixture.createOrganization();
    let open = 0;
    let openMax = 0;
    const memory = createMemoryPublisher();
    const publisher: EventPublisher = {
      publish: async (messages) => {
        openMax = Math.max(openMax, ++open);
        await memory.publish(messages);
        open--;
      },
      close: memory.close,
    };
    const relay = relayOf(publisher);
    await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        await fixture.record(organization, `${number}`);
        await relay.drain();
      }),
    );
    expect(memory.accepted).toHaveLength(20);
    expect(openMax).toBe(1);
  });
});
