import { expect, test } from 'vitest';
import { type CloudEvent, parseLeaf, toLeaf } from './index.ts';

const event: CloudEvent = {
  specversion: '1.0',
  id: 'evt_01h455vb4pex5vsknk084sn02q',
  source: 'uos/admin',
  type: 'uos.api-key.issued.v1',
  subject: 'key_01h455vb4pex5vsknk084sn02q',
  time: '2026-11-22T10:00:00.000Z',
  datacontenttype: 'application/json',
  orgid: 'org_01h455vb4pex5vsknk084sn02q',
  partitionkey: 'org_01h455vb4pex5vsknk084sn02q',
  data: { actor: { type: 'user', id: 'usr_1' }, fingerprint: 'key_1…abcd' },
};

test('a leaf reads back as the event it was made from, and makes the same leaf again', () => {
  const read = parseLeaf(toLeaf(event));
  expect(read).toEqual({ ok: true, value: event });
  expect(read.ok && toLeaf(read.value)).toBe(toLeaf(event));
});

test('keeps attributes that a later version of the producer added', () => {
  const leaf = toLeaf({ ...event, traceparent: '00-1' } as CloudEvent);
  const read = parseLeaf(leaf);
  expect(read.ok && toLeaf(read.value)).toBe(leaf);
});

test.each([
  ['is not JSON', '{'],
  ['lacks required attributes', '{"specversion":"1.0"}'],
  ['has another member order', JSON.stringify(event)],
  ['has white space', toLeaf(event).replace(',', ', ')],
  ['is longer than a log entry may be', toLeaf({ ...event, data: { x: 'x'.repeat(70_000) } })],
])('refuses a leaf that %s', (_why, leaf) => {
  expect(parseLeaf(leaf)).toMatchObject({ ok: false, failure: { code: 'cloud_event.malformed' } });
});
