import { beforeEach, describe, expect, test } from 'vitest';
import { apiKeyId } from '../api-key/index.ts';
import { createMemoryPublisher, type MemoryEventPublisher } from '../events/publisher.memory.ts';
import { type Clock, systemRandom as random, secondsAfter } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { silentLogger } from '../telemetry/index.ts';
import { parseApiKeyUses } from './api-key-use.ts';
import {
  type ApiKeyUseRecorder,
  createApiKeyUseRecorder,
  openApiKeyUseRecorder,
} from './api-key-use-recorder.ts';

const start = new Date('2030-01-01T00:00:00Z');
let now = start;
const clock: Clock = { now: () => now };
const acme = organizationId.create({ clock, random });
const other = organizationId.create({ clock, random });
const createKey = () => apiKeyId.create({ clock, random });

let publisher: MemoryEventPublisher;
let warnings: { dropped?: number; waiting?: number }[];
let uses: ApiKeyUseRecorder;

beforeEach(() => {
  now = start;
  warnings = [];
  publisher = createMemoryPublisher();
  uses = open();
});

function open(options?: { keysMax: number }): ApiKeyUseRecorder {
  const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) };
  return createApiKeyUseRecorder({ publisher, clock, random, source: 'uos/test', logger }, options);
}

const published = () => publisher.accepted.map(({ value }) => JSON.parse(`${value}`));
const told = () => published().flatMap((event) => parseApiKeyUses(event)?.uses ?? []);

describe('the last use of keys', () => {
  test('is one event an organization, whatever the requests, with the latest minute of each key', async () => {
    const [first, second, foreign] = [createKey(), createKey(), createKey()];
    for (let request = 0; request < 100; request++) uses.note(acme, first);
    uses.note(acme, second);
    uses.note(other, foreign);
    now = secondsAfter(start, 95);
    uses.note(acme, second);
    expect(publisher.accepted).toEqual([]);
    await uses.flush();
    expect(publisher.accepted.map(({ topic, key }) => [topic, key])).toEqual([
      ['api-key.used', acme],
      ['api-key.used', other],
    ]);
    expect(published()[0]).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/^evt_/),
      source: 'uos/test',
      type: 'uos.api-key.used.v1',
      time: now.toISOString(),
      datacontenttype: 'application/json',
      orgid: acme,
      partitionkey: acme,
      data: {
        uses: [
          { keyId: first, usedAt: '2030-01-01T00:00:00.000Z' },
          { keyId: second, usedAt: '2030-01-01T00:01:00.000Z' },
        ],
      },
    });
  });

  test('is told once: a minute without uses is a minute without events', async () => {
    uses.note(acme, createKey());
    await uses.flush();
    await uses.flush();
    expect(publisher.accepted).toHaveLength(1);
  });

  test('is in more events where one would grow too large for the function that takes it', async () => {
    for (let key = 0; key < 1_001; key++) uses.note(acme, createKey());
    await uses.flush();
    expect(told()).toHaveLength(1_001);
    expect(publisher.accepted).toHaveLength(3);
    for (const { value } of publisher.accepted) expect(value.length).toBeLessThan(65_536);
  });

  test('is told when the process ends', async () => {
    uses.note(acme, createKey());
    await uses.close();
    expect(told()).toHaveLength(1);
  });

  test('goes nowhere without a publisher', async () => {
    const none = openApiKeyUseRecorder(undefined, {
      open: () => publisher,
      clock,
      random,
      source: 'uos/test',
      logger: silentLogger,
    });
    none.note(acme, createKey());
    await none.close();
    expect(publisher.accepted).toEqual([]);
  });
});

describe('while nothing can be published', () => {
  test('is kept for the next time, and a later use is not undone by it', async () => {
    const [again, once] = [createKey(), createKey()];
    uses.note(acme, again);
    uses.note(other, once);
    publisher.failure = new Error('down');
    const failed = uses.flush();
    now = secondsAfter(start, 60);
    uses.note(acme, again);
    await failed;
    expect(warnings).toMatchObject([{ waiting: 2, dropped: 0 }]);
    publisher.failure = undefined;
    await uses.flush();
    expect(told()).toEqual([
      { keyId: again, usedAt: secondsAfter(start, 60) },
      { keyId: once, usedAt: start },
    ]);
  });

  // Threat: a broker that is away for a day fills the memory of the decision point.
  test('no more than its bound is kept, and what was dropped is said', async () => {
    uses = open({ keysMax: 3 });
    publisher.failure = new Error('down');
    for (let key = 0; key < 5; key++) uses.note(acme, createKey());
    await uses.flush();
    expect(warnings).toMatchObject([{ waiting: 3, dropped: 2 }]);
    publisher.failure = undefined;
    await uses.flush();
    expect(told()).toHaveLength(3);
  });

  test('the process ends all the same', async () => {
    uses.note(acme, createKey());
    publisher.failure = new Error('down');
    await uses.close();
    expect(warnings).toHaveLength(1);
  });
});

test.each([
  ['no organization', { data: { uses: [{ keyId: createKey(), usedAt: start.toISOString() }] } }],
  ['no uses', { orgid: acme, data: { uses: [] } }],
  [
    'a key that is no id',
    { orgid: acme, data: { uses: [{ keyId: "key_' or 1=1", usedAt: start.toISOString() }] } },
  ],
  ['an instant that is none', { orgid: acme, data: { uses: [{ keyId: createKey(), usedAt: 'yesterday' }] } }],
  [
    'more than one event holds',
    { orgid: acme, data: { uses: Array(501).fill({ keyId: createKey(), usedAt: start.toISOString() }) } },
  ],
])('an event with %s is not read', (_what, event) => {
  expect(parseApiKeyUses(event)).toBeUndefined();
});
