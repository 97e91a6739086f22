import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createConsoleLines } from '../../knative/local/console-lines.ts';
import { findKafka } from '../../knative/local/kafka-server.ts';
import { type Platform, startPlatform } from '../../knative/local/platform.ts';
import { findS3Server } from '../../knative/local/s3-server.ts';
import { runTour, type TourReport } from '../../knative/local/tour/tour.ts';
import { askFsck, fsck } from '../support/fsck.ts';

const said: string[] = [];
const lines = createConsoleLines({ write: (text) => said.push(text), isColoured: false, showInfo: false });
const stepNames = [
  'declare',
  'issue-key',
  'token',
  'decide',
  'remove-role',
  'rotate-signing-key',
  'revoke-key',
  'export',
  'verify',
  'tamper',
];

async function startIn(directory: string, isReal: boolean): Promise<Platform> {
  return startPlatform({ stateDirectory: directory, isReal, keepsPorts: false, console: lines });
}

/** What the tour said is the message of a failure. */
function expectComplete(report: TourReport): void {
  expect(report, said.join('')).toMatchObject({
    tour: 'ok',
    steps: stepNames.map((name) => ({ name, ok: true })),
  });
}

async function rowsOf(platform: Platform, sql: string): Promise<Record<string, unknown>[]> {
  const url = new URL(platform.postgres.superuserUrl);
  url.pathname = new URL(platform.postgres.ownerUrl).pathname;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

describe('the tour on one machine', { timeout: 300_000 }, () => {
  let directory: string;
  let platform: Platform;
  let report: TourReport;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'uos-tour-'));
    platform = await startIn(directory, false);
    report = await runTour(platform, lines);
  }, 300_000);

  afterAll(async () => {
    await platform.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('performs the main job through the public interfaces', () => expectComplete(report));

  test.skipIf(fsck === undefined)(
    'leaves audit logs that tessera accepts, in the store and in the export',
    async () => {
      const logs = await rowsOf(
        platform,
        'select org_id, day::text as day, verifier_key, published_size from audit_log',
      );
      expect(logs.length).toBeGreaterThanOrEqual(2);
      for (const { org_id, day, verifier_key } of logs) {
        const keyPath = join(directory, `${org_id}-${day}.vkey`);
        await writeFile(keyPath, `${verifier_key}\n`);
        const path = join(platform.state.objects, 'audit', String(org_id), String(day));
        expect(await askFsck({ path, keyPath })).toMatchObject({ accepted: true });
      }
      const exported = join(directory, 'export');
      for (const day of await readdir(join(exported, 'log'))) {
        expect(
          await askFsck({
            path: join(exported, 'log', day),
            keyPath: join(exported, 'vkeys', `${day}.vkey`),
          }),
        ).toMatchObject({ accepted: true });
      }
    },
  );

  test('keeps its data across a restart', async () => {
    const before = await rowsOf(platform, 'select count(*)::int as events from audit_event');
    await platform.stop();
    platform = await startIn(directory, false);
    const after = await rowsOf(platform, 'select count(*)::int as events from audit_event');
    expect(Number(after[0]?.['events'])).toBeGreaterThanOrEqual(Number(before[0]?.['events']));
    const organizations = await fetch(`${platform.urlOf('admin')}/v1/organizations`, {
      headers: { authorization: `Bearer ${platform.operatorKey}` },
    });
    expect(JSON.stringify(await organizations.json())).toContain('"acme"');
  });
});

describe('the tour while functions are killed', { timeout: 300_000 }, () => {
  test('completes, and every acknowledged event is in the log, though each function is killed once', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'uos-killed-'));
    const platform = await startIn(directory, false);
    try {
      const victims = [...platform.services.values()];
      const report = await runTour(platform, lines, () => {
        const victim = victims.shift();
        if (victim !== undefined) process.kill(victim.pid(), 'SIGKILL');
      });
      expectComplete(report);
      expect(victims).toEqual([]);
      await expectEverythingLogged(platform);
    } finally {
      await platform.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

const kafka = await findKafka();
const s3 = await findS3Server();

describe.skipIf(kafka === undefined || s3 === undefined)(
  'the tour with a real Kafka and a real S3 server',
  { timeout: 300_000 },
  () => {
    test('performs the main job; every acknowledged event is in the log, and decisions are in Kafka', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'uos-real-'));
      const platform = await startIn(directory, true);
      try {
        expectComplete(await runTour(platform, lines));
        await expectEverythingLogged(platform);
        const streamed = await firstOf(platform, 'audit.decision');
        expect(streamed).toMatchObject({ type: 'uos.decision.recorded.v1', source: 'uos/authorize' });
        expect(streamed).toHaveProperty('data.records.0.decision', false);
      } finally {
        await platform.stop();
        await rm(directory, { recursive: true, force: true });
      }
    });
  },
);

/** The first event that the platform's Kafka holds of a topic. Waits for it: the limit of the test is the limit. */
async function firstOf(platform: Platform, topic: string): Promise<unknown> {
  const brokers = new URL(platform.eventPublisherUrl).host.split(',');
  const kafka = new Kafka({ clientId: 'uos-test', brokers, logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: 'test' });
  const found = Promise.withResolvers<unknown>();
  try {
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }) => found.resolve(JSON.parse(message.value?.toString() ?? 'null')),
    });
    return await found.promise;
  } finally {
    await consumer.disconnect();
  }
}

/** Each recorded event is an entry exactly once, none waits in the outbox, and none was given up. */
async function expectEverythingLogged(platform: Platform): Promise<void> {
  const missing = `select type, leaf from audit_event e where not exists
    (select from audit_entry l where l.org_id = e.org_id and l.event_id = e.event_id and l.leaf = e.leaf)`;
  await expect
    .poll(async () => [await rowsOf(platform, missing), await rowsOf(platform, 'select * from outbox')], {
      timeout: 60_000,
    })
    .toEqual([[], []]);
  const doubled = 'select event_id from audit_entry group by org_id, event_id having count(*) > 1';
  expect(await rowsOf(platform, doubled)).toEqual([]);
  const unpublished = 'select log_id from audit_log where published_size < size';
  await expect.poll(() => rowsOf(platform, unpublished), { timeout: 60_000 }).toEqual([]);
}
