import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bodyBytesMax, createHandler } from '../../functions/audit-ingest/handler.ts';
import { appendEvents, createLogPublisher, type LogPublisher } from '../../shared/audit/index.ts';
import { type CloudEvent, toLeaf } from '../../shared/events/index.ts';
import { systemClock, systemRandom } from '../../shared/kernel/index.ts';
import type { OrganizationId } from '../../shared/organization/index.ts';
import { type LogFields, silentLogger } from '../../shared/telemetry/index.ts';
import {
  type AuditFixture,
  createAuditFixture,
  type ServedFunction,
  send,
  serveFunction,
} from './audit-fixture.ts';

// Threat: audit-ingest takes events from whoever reaches it inside the cluster, and signs what it takes.
let fixture: AuditFixture;
let publisher: LogPublisher;
let served: ServedFunction;
let organization: OrganizationId;
let warnings: LogFields[];

beforeAll(async () => {
  fixture = await createAuditFixture();
});
afterAll(() => fixture.close());
beforeEach(async () => {
  organization = await fixture.createOrganization();
  warnings = [];
  const logger = { ...silentLogger, warn: (fields: LogFields) => void warnings.push(fields) };
  const { pool, store } = fixture.log;
  const { objects } = fixture.exporting;
  publisher = createLogPublisher({
    pool,
    store,
    objects,
    clock: systemClock,
    random: systemRandom,
    logger,
  });
  const listener = createHandler({ log: fixture.log, publisher, logger });
  served = await serveFunction('audit-ingest', listener, { bodyBytesMax });
});
afterEach(async () => {
  await served.close();
  await publisher.close();
});

const eventOf = (id: string, change: Partial<CloudEvent> = {}): CloudEvent => ({
  specversion: '1.0',
  id,
  source: 'uos/test',
  type: 'uos.organization.created.v1',
  subject: organization,
  time: '2026-03-01T10:00:00.000Z',
  datacontenttype: 'application/json',
  orgid: organization,
  partitionkey: organization,
  data: { actor: { type: 'system', id: 'test' }, name: id, managedBy: 'api' },
  ...change,
});

const recorded = async (id: string): Promise<CloudEvent> => {
  const event = eventOf(id);
  await fixture.recordAll([event]);
  return event;
};

const post = async (body: string): Promise<{ status: number; detail: string }> => {
  const headers = { 'content-type': 'application/cloudevents+json' };
  const response = await fetch(served.url, { method: 'POST', headers, body });
  const problem: unknown = await response.json();
  const detail = typeof problem === 'object' && problem !== null && 'detail' in problem ? problem.detail : '';
  return { status: response.status, detail: String(detail) };
};

/** Every event of every log, whatever its organization. */
const logged = async (id: string) =>
  fixture.query('select org_id, leaf from audit_entry where event_id = $1', [id]);
const logsOf = async (id: string) => fixture.query('select 1 from audit_log where org_id = $1', [id]);

describe('an event that no change was committed with', () => {
  test('is refused for good, appends nothing, and is told to the operator', async () => {
    const { status, detail } = await post(toLeaf(eventOf('evt_invented')));
    expect({ status, detail }).toEqual({
      status: 400,
      detail: `No change in organization "${organization}" was recorded with exactly this event`,
    });
    expect(warnings).toEqual([expect.objectContaining({ event: 'evt_invented', detail })]);
    expect(await logsOf(organization)).toEqual([]);
  });

  // The genuine one is in the log or not yet: neither makes room for another with its name.
  test.each([
    ['data', { data: { actor: { type: 'system', id: 'test' }, name: 'evt_altereD', managedBy: 'api' } }],
    ['time', { time: '2026-03-01T10:00:00.001Z' }],
    ['type', { type: 'uos.organization.updated.v1' }],
    ['source', { source: 'uos/other' }],
    ['subject', { subject: 'org_00000000000000000000000001' }],
    ['partition', { partitionkey: 'org_00000000000000000000000001' }],
  ])('but for one byte of its %s is refused, before and after the genuine one', async (what, change) => {
    const genuine = await recorded(`evt_altered_${what}`);
    const altered = toLeaf({ ...genuine, ...change });
    expect((await post(altered)).status).toBe(400);
    expect(await send(served.url, toLeaf(genuine))).toBe(204);
    expect((await post(altered)).status).toBe(400);
    expect(await logged(genuine.id)).toEqual([{ org_id: organization, leaf: toLeaf(genuine) }]);
  });

  test('of this organization, but of another one, is refused', async () => {
    const foreign = await recorded('evt_foreign');
    const other = await fixture.createOrganization();
    const stolen = { ...foreign, orgid: other, partitionkey: other };
    expect((await post(toLeaf(stolen))).status).toBe(400);
    expect((await appendEvents(fixture.log, other, [foreign, stolen])).outcomes).toEqual([
      'unrecorded',
      'unrecorded',
    ]);
    expect(await logsOf(other)).toEqual([]);
    expect(await logged(foreign.id)).toEqual([]);
  });

  test('cannot pass for an entry that a log makes itself', async () => {
    await send(served.url, toLeaf(await recorded('evt_opening')));
    const [opened] = await fixture.query(
      'select leaf from audit_entry where org_id = $1 and entry_index = 0',
      [organization],
    );
    expect((await post(String(opened?.['leaf']))).status).toBe(400);
    const type = 'uos.audit-log.closed.v1';
    expect((await post(toLeaf(eventOf('evt_closing', { type, source: 'uos/audit-ingest' })))).status).toBe(
      400,
    );
  });

  test('disturbs no other of its batch, in whatever order they come', async () => {
    const genuine = await recorded('evt_genuine');
    const before = await recorded('evt_before');
    await appendEvents(fixture.log, organization, [before]);
    const altered = { ...genuine, data: { ...genuine.data, name: 'altered' } };
    const batch = [altered, eventOf('evt_made_up'), before, genuine, genuine, altered];
    const { outcomes, grown } = await appendEvents(fixture.log, organization, batch);
    expect(outcomes).toEqual([
      'unrecorded',
      'unrecorded',
      'duplicate',
      'appended',
      'duplicate',
      'unrecorded',
    ]);
    expect(grown).toHaveLength(1);
    expect(await logged(genuine.id)).toEqual([{ org_id: organization, leaf: toLeaf(genuine) }]);
    expect(await logged('evt_made_up')).toEqual([]);
  });

  test('sent by the hundred keeps no genuine one out', async () => {
    const genuine = [1, 2, 3].map((number) => eventOf(`evt_among_${number}`));
    await fixture.recordAll(genuine);
    const invented = Array.from({ length: 300 }, (_, at) => eventOf(`evt_noise_${at}`));
    const sent = invented.toSpliced(50, 0, ...genuine);
    const statuses = await Promise.all(sent.map((event) => send(served.url, toLeaf(event))));
    expect(statuses).toEqual(sent.map((event) => (genuine.includes(event) ? 204 : 400)));
    const rows = await fixture.query('select 1 from audit_entry where org_id = $1', [organization]);
    expect(rows).toHaveLength(4);
  });
});

describe('what can be no entry is refused with its reason, and not sent again:', () => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
  test.each([
    ['an organization that is not there', { orgid: 'org_00000000000000000000000009' }, /^No change/],
    ['no organization', { orgid: undefined }, /^It lacks an attribute/],
    ['data that is no object', { data: 'text' }, /^It lacks an attribute/],
    ['an id that cannot be stored', { id: 'evt_\u0000' }, /^Its id or source/],
    ['more bytes than an entry may have', { data: { text: 'x'.repeat(62_000) } }, /^It is longer than/],
    ['text that is not Unicode', { data: { text: '\ud800' } }, /^It has no canonical JSON/],
  ])('%s', async (_what, change, reason) => {
    const { status, detail } = await post(JSON.stringify({ ...eventOf('evt_refused'), ...change }));
    expect({ status, detail }).toEqual({ status: 400, detail: expect.stringMatching(reason) });
    expect(await logsOf(organization)).toEqual([]);
  });

  test('lists nested deeper than a stack', async () => {
    const body = JSON.stringify(eventOf('evt_deep', { data: { deep: 0 } })).replace(
      '"deep":0',
      `"deep":${deep}`,
    );
    expect(await post(body)).toMatchObject({ status: 400, detail: expect.stringMatching(/canonical/) });
  });

  test('a body that no entry could need', async () => {
    const body = JSON.stringify(eventOf('evt_huge', { data: { text: 'x'.repeat(bodyBytesMax) } }));
    expect((await post(body)).status).toBe(413);
  });
});

test('an event as long as an entry may be is taken, however its text is spelled on the way', async () => {
  const event = eventOf('evt_longest', { data: { text: '' } });
  const text = 'é'.repeat(Math.floor((61_440 - Buffer.byteLength(toLeaf(event))) / 2));
  const longest = { ...event, data: { text } };
  await fixture.recordAll([longest]);
  const spelled = JSON.stringify(longest).replaceAll('é', '\\u00e9');
  expect(await send(served.url, spelled)).toBe(204);
  expect(await logged(event.id)).toEqual([{ org_id: organization, leaf: toLeaf(longest) }]);
});
