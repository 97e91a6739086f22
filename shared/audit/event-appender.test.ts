import { expect, test } from 'vitest';
import type { CloudEvent } from '../events/index.ts';
import { createEventAppender } from './event-appender.ts';

const organizations = ['org_00000000000000000000000001', 'org_00000000000000000000000002'] as const;
const eventOf = (id: number, orgid: string = organizations[0]) => ({ id: `${id}`, orgid }) as CloudEvent;

const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve));

/** Batches that end when the test says so. */
function createBatches() {
  const started: { ids: string[]; end: (error?: Error) => void }[] = [];
  const appender = createEventAppender(
    (_organization, events) =>
      new Promise((resolve, reject) => {
        const outcomes = events.map(() => 'appended' as const);
        const end = (error?: Error) => (error ? reject(error) : resolve({ outcomes, grown: [] }));
        started.push({ ids: events.map(({ id }) => id), end });
      }),
  );
  return { appender, started };
}

test('those who arrive while a transaction runs share the next one, in the order they came', async () => {
  const { appender, started } = createBatches();
  const all = [1, 2, 3].map((id) => appender.append(eventOf(id)));
  expect(started.map(({ ids }) => ids)).toEqual([['1']]);
  started[0]?.end();
  await turnOfTheLoop();
  expect(started.map(({ ids }) => ids)).toEqual([['1'], ['2', '3']]);
  started[1]?.end();
  expect(await Promise.all(all)).toEqual(['appended', 'appended', 'appended']);
});

test('organizations do not wait for each other', async () => {
  const { appender, started } = createBatches();
  const all = organizations.map((organization, id) => appender.append(eventOf(id, organization)));
  expect(started).toHaveLength(2);
  for (const batch of started) batch.end();
  await Promise.all(all);
});

test('a transaction holds at most a hundred events', async () => {
  const { appender, started } = createBatches();
  const all = Array.from({ length: 202 }, (_, id) => appender.append(eventOf(id)));
  for (const size of [1, 100, 100, 1]) {
    const batch = started.at(-1);
    expect(batch?.ids).toHaveLength(size);
    batch?.end();
    await turnOfTheLoop();
  }
  await Promise.all(all);
});

test('a failed transaction is told to everybody in it, and to nobody after it', async () => {
  const { appender, started } = createBatches();
  const first = appender.append(eventOf(1));
  const second = appender.append(eventOf(2));
  started[0]?.end(new Error('the database is gone'));
  await expect(first).rejects.toThrow('the database is gone');
  await turnOfTheLoop();
  started[1]?.end();
  expect(await second).toBe('appended');
});

test('each hears of its own event, whatever became of those beside it', async () => {
  const outcomes = ['appended', 'unrecorded', 'duplicate'] as const;
  const appender = createEventAppender(async (_organization, events) => ({
    outcomes: events.map(({ id }) => outcomes[Number(id)] ?? 'unrecorded'),
    grown: [],
  }));
  expect(await Promise.all(outcomes.map((_, id) => appender.append(eventOf(id))))).toEqual(outcomes);
});
