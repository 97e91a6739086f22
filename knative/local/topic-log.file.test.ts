import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFileTopicLog } from './topic-log.file.ts';
import type { TopicRecord } from './topic-log.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'uos-topics-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const record = (id: number): TopicRecord => ({ key: 'org', event: { id: String(id) } });

/** Collects ids, resolving `seen(n)` once n records were handled. */
function collector() {
  const ids: string[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  return {
    ids,
    handle: async ({ event }: TopicRecord) => {
      ids.push(String(event['id']));
      for (const waiter of waiting) if (ids.length >= waiter.count) waiter.resolve();
    },
    seen: (count: number) =>
      new Promise<void>((resolve) => {
        if (ids.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
  };
}

test('hands records to a group in the order they were accepted, also those appended at once', async () => {
  const log = await openFileTopicLog(directory);
  const got = collector();
  await log.consume({ topic: 'audit.identity', group: 'g', handle: got.handle });
  await Promise.all([1, 2, 3, 4, 5].map((id) => log.append('audit.identity', [record(id)])));
  await got.seen(5);
  expect(got.ids).toEqual(['1', '2', '3', '4', '5']);
  await log.close();
});

test('keeps what was accepted across a restart, and hands on from where the group stood', async () => {
  const first = await openFileTopicLog(directory);
  const before = collector();
  await first.consume({ topic: 't', group: 'g', handle: before.handle });
  await first.append('t', [record(1), record(2)]);
  await before.seen(2);
  await first.close();
  const second = await openFileTopicLog(directory);
  await second.append('t', [record(3)]);
  const after = collector();
  await second.consume({ topic: 't', group: 'g', handle: after.handle });
  await after.seen(1);
  expect(after.ids).toEqual(['3']);
  await second.close();
});

test('hands a record out again when its handling was interrupted by the end of the platform', async () => {
  const first = await openFileTopicLog(directory);
  await first.append('t', [record(1)]);
  const entered = Promise.withResolvers<void>();
  const interrupt = Promise.withResolvers<never>();
  await first.consume({
    topic: 't',
    group: 'g',
    handle: () => {
      entered.resolve();
      return interrupt.promise;
    },
  });
  await entered.promise;
  const closed = first.close();
  interrupt.reject(new Error('aborted'));
  await closed;
  const second = await openFileTopicLog(directory);
  const got = collector();
  await second.consume({ topic: 't', group: 'g', handle: got.handle });
  await got.seen(1);
  expect(got.ids).toEqual(['1']);
  await second.close();
});

test('drops a last line that was cut off, since it was never accepted, and keeps appending after it', async () => {
  const path = join(directory, 't.ndjson');
  await writeFile(path, `${JSON.stringify(record(1))}\n{"key":"org","ev`);
  const log = await openFileTopicLog(directory);
  await log.append('t', [record(2)]);
  await log.close();
  expect(
    (await readFile(path, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).event.id),
  ).toEqual(['1', '2']);
});

test('groups do not take records from each other', async () => {
  const log = await openFileTopicLog(directory);
  const [one, two] = [collector(), collector()];
  await log.consume({ topic: 't', group: 'one', handle: one.handle });
  await log.consume({ topic: 't', group: 'two', handle: two.handle });
  await log.append('t', [record(1)]);
  await Promise.all([one.seen(1), two.seen(1)]);
  expect([one.ids, two.ids]).toEqual([['1'], ['1']]);
  await log.close();
});
