import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DatabasePool } from '../../shared/db/index.ts';
import { createDecisionStream } from '../../shared/decision-record/index.ts';
import { createMemoryPublisher } from '../../shared/events/publisher.memory.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { silentLogger } from '../../shared/telemetry/index.ts';
import { createDecisionFixture, type DecisionFixture, decisionRecord as record } from './decision-fixture.ts';

let fixture: DecisionFixture;
let mine: OrganizationId;
let theirs: OrganizationId;

beforeAll(async () => {
  fixture = await createDecisionFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  mine = await fixture.createOrganization();
  theirs = await fixture.createOrganization();
});

const keysOf = async (organization: OrganizationId) =>
  (await fixture.objects.list(`decisions/${organization}/`)).keys;

describe('decision records', () => {
  it('are kept as one object an organization, whose digest its log names', async () => {
    const recorder = fixture.open();
    recorder.record(record(mine, 'one', { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', dataRevision: 7 }));
    recorder.record(record(theirs, 'other'));
    recorder.record(record(mine, 'two', { item: 1 }));
    await recorder.close();
    await fixture.seal();
    const [segment] = await fixture.segmentsOf(mine);
    expect(segment?.data).toMatchObject({
      objectKey: expect.stringMatching(
        new RegExp(`^decisions/${mine}/2026-03-04/seg_[0-9a-z]{26}\\.ndjson\\.gz$`),
      ),
      count: 2,
      from: '2026-03-04T05:06:07.089Z',
      to: '2026-03-04T05:06:07.089Z',
      policyRevision: 'r1',
    });
    expect(segment?.lines[0]).toEqual({
      time: '2026-03-04T05:06:07.089Z',
      organization: mine,
      request_id: 'one',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      principal: { type: 'service_account', id: 'sa_1', credential: 'key_1…abcd' },
      subject: { type: 'user', id: 'usr_1' },
      action: 'read',
      resource: { type: 'document', id: '42' },
      decision: false,
      code: 'forbidden',
      rule: 'denied_by_binding',
      binding: 'bind_1',
      policy_revision: 'r1',
      data_revision: 7,
    });
    expect(segment?.lines[1]).toMatchObject({ request_id: 'two', item: 1 });
    expect(await fixture.requestIdsOf(theirs)).toEqual(['other']);
    expect(await fixture.journaled(mine)).toEqual([]);
    await recorder.close();
  });

  it('are all in the journal before the recorder closes, and in segments of a bounded size after the tick', async () => {
    const recorder = fixture.open();
    for (let n = 0; n < 6_000; n++) {
      recorder.record(record(mine, `${n}`));
      if (n % 1_000 === 999) await recorder.journal();
    }
    await recorder.close();
    expect(await fixture.journaled(mine)).toHaveLength(6_000);
    expect(await fixture.seal()).toBe(2);
    expect((await fixture.requestIdsOf(mine)).map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 6_000 }, (_, n) => n),
    );
    expect(await fixture.journaled(mine)).toEqual([]);
  });

  it('are in the journal on their own soon after they were made', async () => {
    const recorder = fixture.open({ journalMs: 20 });
    recorder.record(record(mine, 'one'));
    const deadline = AbortSignal.timeout(20_000);
    while ((await fixture.journaled(mine)).length === 0) deadline.throwIfAborted();
    await recorder.close();
  });

  it('of several instances are one segment, and those of two policy revisions two', async () => {
    const recorders = [fixture.open(), fixture.open()];
    for (const [n, recorder] of recorders.entries()) {
      recorder.record(record(mine, `${n}`));
      recorder.record(record(mine, `${n}-next`, { policyRevision: 'r2' }));
      await recorder.close();
    }
    await fixture.seal();
    const segments = await fixture.segmentsOf(mine);
    expect(segments.map(({ data }) => [data.policyRevision, data.count]).sort()).toEqual([
      ['r1', 2],
      ['r2', 2],
    ]);
  });

  it('wait for company, unless they are old or many', async () => {
    const recorder = fixture.open();
    recorder.record(record(mine, 'young'));
    for (let n = 0; n < 5; n++) recorder.record(record(theirs, `${n}`));
    await recorder.close();
    await fixture.seal({ olderThanSeconds: 3_600, recordsMin: 5 });
    expect(await fixture.requestIdsOf(mine)).toEqual([]);
    expect(await fixture.requestIdsOf(theirs)).toHaveLength(5);
    await fixture.seal({ olderThanSeconds: -60 });
    expect(await fixture.requestIdsOf(mine)).toEqual(['young']);
  });

  it('hold attributes up to their bound, and say how large those are that were left out', async () => {
    const recorder = fixture.open();
    recorder.record(record(mine, 'small', { attributes: { context: { note: 'x', z: [1, null] } } }));
    recorder.record(record(mine, 'large', { attributes: { context: { note: 'x'.repeat(5_000) } } }));
    recorder.record(record(mine, 'none', { attributes: { context: undefined } }));
    await recorder.close();
    await fixture.seal();
    const [segment] = await fixture.segmentsOf(mine);
    expect(segment?.lines[0]?.['attributes']).toEqual({ context: { note: 'x', z: [1, null] } });
    expect(segment?.lines[1]).toMatchObject({ attributes_left_out: 5_023 });
    expect(segment?.lines[1]).not.toHaveProperty('attributes');
    expect(segment?.lines[2]).not.toHaveProperty('attributes');
  });

  it.each(['\u0000', '\ud800', '\\u0000', '"\n'])('hold whatever text a caller sends: %j', async (id) => {
    const memory = createMemoryPublisher();
    const stream = createDecisionStream({ publisher: memory, source: 'uos/test', logger: silentLogger });
    const recorder = fixture.open({}, { stream });
    recorder.record(record(mine, 'odd', { resource: { type: 'document', id } }));
    await recorder.close();
    await fixture.seal();
    const [segment] = await fixture.segmentsOf(mine);
    expect(segment?.lines[0]?.['resource']).toEqual({ type: 'document', id });
    expect(memory.accepted).toHaveLength(1);
  });
});

describe('the level of an organization', () => {
  it('keeps refusals and privileged decisions by default, and no other', async () => {
    const organization = await fixture.createOrganization({});
    const recorder = fixture.open();
    recorder.record(record(organization, 'allowed', { decision: true }));
    recorder.record(record(organization, 'refused'));
    recorder.record(record(organization, 'owner', { decision: true, isPrivileged: true }));
    recorder.record(record(mine, 'allowed', { decision: true }));
    await recorder.close();
    await fixture.seal();
    expect((await fixture.requestIdsOf(organization)).sort()).toEqual(['owner', 'refused']);
    expect(await fixture.requestIdsOf(mine)).toEqual(['allowed']);
  });

  it('that cannot be read keeps every decision, and no attribute of it', async () => {
    const recorder = fixture.open(
      {},
      { logs: { peek: () => undefined, find: () => Promise.reject(new Error('down')) } },
    );
    recorder.record(record(mine, 'one', { decision: true, attributes: { context: { note: 'canary' } } }));
    await recorder.close();
    await fixture.seal();
    const [segment] = await fixture.segmentsOf(mine);
    expect(segment?.lines[0]).toMatchObject({ request_id: 'one', masked: ['context'] });
    expect(JSON.stringify(segment?.lines)).not.toContain('canary');
  });
});

describe('masking', () => {
  // Threat: what must not be kept is kept in the copy nobody thought of.
  it('is done before anything is written: to the journal, a segment, the stream or the log of the function', async () => {
    const organization = await fixture.createOrganization({
      level: 'all',
      masks: [
        { path: 'subject.email', mode: 'hash' },
        { path: 'context.note', mode: 'remove' },
      ],
    });
    const memory = createMemoryPublisher();
    const logged: unknown[] = [];
    const note = (...line: unknown[]) => void logged.push(line);
    const logger = { ...silentLogger, info: note, warn: note, error: note, debug: note };
    const recorder = fixture.open(
      {},
      {
        logger,
        stream: createDecisionStream({ publisher: memory, source: 'uos/test', logger }),
      },
    );
    const attributes = {
      subject: { email: 'canary@example.test', level: 'kept' },
      context: { note: 'canary', headers: { authorization: 'Bearer canary' } },
    };
    recorder.record(record(organization, 'one', { attributes }));
    await recorder.close();
    const inJournal = await fixture.journaled(organization);
    const broken = { ...fixture.objects, put: () => Promise.reject(new Error('down')) };
    await fixture.seal({}, { logger, objects: broken });
    await fixture.seal();
    const [segment] = await fixture.segmentsOf(organization);
    expect(inJournal).toEqual(segment?.lines);
    expect(segment?.lines[0]).toMatchObject({
      attributes: { subject: { email: expect.stringMatching(/^hmac-sha256:/), level: 'kept' } },
      masked: ['subject.email', 'context.note', 'context.headers.authorization'],
    });
    expect(logged.length).toBeGreaterThan(0);
    for (const written of [inJournal, segment, memory.accepted, logged])
      expect(JSON.stringify(written)).not.toContain('canary');
  });
});

describe('a privileged decision', () => {
  it('is durable when its promise resolves, and others are not waited for', async () => {
    const recorder = fixture.open();
    const ordinary = recorder.record(record(mine, 'ordinary'));
    expect(ordinary).toBeUndefined();
    await recorder.record(record(mine, 'owner', { isPrivileged: true }));
    const lines = await fixture.journaled(mine);
    expect(lines.map((line) => line['request_id'])).toEqual(['ordinary', 'owner']);
    expect(lines[1]).toMatchObject({ privileged: true });
    await recorder.close();
  });

  it('shares its commit with those that come while another is under way', async () => {
    let writes = 0;
    const { journal } = fixture.sealing;
    const recorder = fixture.open(
      {},
      {
        journal: {
          ...journal,
          write: (parts) => {
            writes++;
            return journal.write(parts);
          },
        },
      },
    );
    const asked = Array.from({ length: 50 }, (_, n) =>
      recorder.record(record(mine, `${n}`, { isPrivileged: true })),
    );
    await Promise.all(asked);
    expect(await fixture.journaled(mine)).toHaveLength(50);
    // As many as go at once, with one record each, and one that all the others share.
    expect(writes).toBeLessThanOrEqual(4);
    await recorder.close();
  });

  it('rejects while the journal cannot be written, so that no answer leaves unrecorded', async () => {
    const { journal } = fixture.sealing;
    let isBroken = true;
    const recorder = fixture.open(
      {},
      {
        journal: {
          ...journal,
          write: (parts) => (isBroken ? Promise.reject(new Error('down')) : journal.write(parts)),
        },
      },
    );
    await expect(recorder.record(record(mine, 'one', { isPrivileged: true }))).rejects.toThrow('down');
    isBroken = false;
    await recorder.close();
    expect(await fixture.journaled(mine)).toMatchObject([{ request_id: 'one' }]);
  });
});

describe('what fails', () => {
  it('while the journal cannot be written decisions are refused at the bound, and none is lost', async () => {
    const { journal } = fixture.sealing;
    let isBroken = true;
    const recorder = fixture.open(
      { recordsMax: 3 },
      {
        journal: { write: (parts) => (isBroken ? Promise.reject(new Error('down')) : journal.write(parts)) },
      },
    );
    for (const id of ['1', '2']) recorder.record(record(mine, id));
    await expect(recorder.journal()).rejects.toThrow('down');
    expect(recorder.isAccepting()).toBe(true);
    recorder.record(record(mine, '3'));
    await expect(recorder.journal()).rejects.toThrow('down');
    expect(recorder.isAccepting()).toBe(false);
    isBroken = false;
    await recorder.journal();
    expect(recorder.isAccepting()).toBe(true);
    await recorder.close();
    const lines = await fixture.journaled(mine);
    expect(lines.map((line) => line['request_id']).sort()).toEqual(['1', '2', '3']);
  });

  it('while the object store is down decisions stay in the journal, and are all there in the end', async () => {
    const recorder = fixture.open();
    for (const id of ['1', '2']) recorder.record(record(mine, id));
    await recorder.close();
    const broken = { ...fixture.objects, put: () => Promise.reject(new Error('down')) };
    expect(await fixture.seal({}, { objects: broken })).toBe(0);
    expect(await fixture.journaled(mine)).toHaveLength(2);
    await fixture.seal();
    expect((await fixture.requestIdsOf(mine)).sort()).toEqual(['1', '2']);
    expect(await fixture.journaled(mine)).toEqual([]);
  });

  it('an event that fails leaves one segment in the end, and no decision twice', async () => {
    const recorder = fixture.open();
    recorder.record(record(mine, 'one'));
    await recorder.close();
    const events = { record: () => Promise.reject(new Error('down')) };
    expect(await fixture.seal({}, { events })).toBe(0);
    expect(await fixture.segmentsOf(mine)).toEqual([]);
    await fixture.seal();
    expect(await fixture.requestIdsOf(mine)).toEqual(['one']);
  });

  // A lost connection does not tell whether the commit before it was one.
  it('a write to the journal that is never answered is not made twice', async () => {
    const { journal } = fixture.sealing;
    let unanswered = 1;
    const recorder = fixture.open(
      {},
      {
        journal: {
          write: async (parts) => {
            await journal.write(parts);
            if (unanswered-- > 0) throw new Error('the connection was lost');
          },
        },
      },
    );
    recorder.record(record(mine, 'one'));
    await expect(recorder.journal()).rejects.toThrow('lost');
    recorder.record(record(mine, 'two'));
    await recorder.close();
    await fixture.seal();
    expect((await fixture.requestIdsOf(mine)).sort()).toEqual(['one', 'two']);
  });

  it('a segment whose commit is never answered is made once, and its object stays', async () => {
    let unanswered = 1;
    const pool: DatabasePool = {
      ...fixture.logPool,
      connect: async () => {
        const client = await fixture.logPool.connect();
        const query = (async (...args: [string]) => {
          const answer = await client.query(...args);
          // The first commit is of the list of who is due, the second of the list of parts.
          if (args[0] === 'commit' && unanswered++ === 3) throw new Error('the connection was lost');
          return answer;
        }) as typeof client.query;
        return { query, release: client.release.bind(client) };
      },
    };
    const recorder = fixture.open();
    recorder.record(record(mine, 'one'));
    await recorder.close();
    expect(await fixture.seal({}, { pool })).toBe(0);
    await fixture.seal();
    expect(await fixture.requestIdsOf(mine)).toEqual(['one']);
    expect(await keysOf(mine)).toHaveLength(1);
  });

  it('Kafka that takes nothing costs the copy alone', async () => {
    const memory = createMemoryPublisher();
    memory.failure = new Error('no broker');
    const stream = createDecisionStream({ publisher: memory, source: 'uos/test', logger: silentLogger });
    const recorder = fixture.open({}, { stream });
    await recorder.record(record(mine, 'one', { isPrivileged: true }));
    memory.failure = undefined;
    await recorder.record(record(mine, 'two', { isPrivileged: true }));
    await recorder.close();
    expect(await fixture.journaled(mine)).toHaveLength(2);
    const streamed = memory.accepted.map(({ topic, key, value }) => ({
      topic,
      key,
      event: JSON.parse(`${value}`),
    }));
    expect(streamed).toMatchObject([
      {
        topic: 'audit.decision',
        key: mine,
        event: { type: 'uos.decision.recorded.v1', orgid: mine, data: { records: [{ request_id: 'two' }] } },
      },
    ]);
  });
});

describe('runs of the sealer beside each other', () => {
  it('put every decision into one segment, and leave no object that no event names', async () => {
    const organizations = [mine, theirs, await fixture.createOrganization()];
    const recorder = fixture.open();
    for (let n = 0; n < 30; n++) {
      for (const organization of organizations) recorder.record(record(organization, `${n}`));
      if (n % 7 === 0) await recorder.journal();
    }
    await recorder.close();
    await Promise.all([fixture.seal(), fixture.seal(), fixture.seal()]);
    for (const organization of organizations) {
      expect((await fixture.requestIdsOf(organization)).map(Number).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 30 }, (_, n) => n),
      );
      const named = (await fixture.segmentsOf(organization)).map(({ data }) => data.objectKey);
      expect(await keysOf(organization)).toEqual(named.sort());
    }
  });
});
