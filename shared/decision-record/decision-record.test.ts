import { describe, expect, it } from 'vitest';
import { systemClock, systemRandom } from '../kernel/index.ts';
import { organizationId } from '../organization/index.ts';
import { type DecisionRecord, toLine } from './decision-record.ts';
import { createAttributeMasker, removeAllAttributes, secretNames } from './mask-attributes.ts';
import { parseKeyMembers, parseLine } from './recorded-decision.ts';

const organization = organizationId.create({ clock: systemClock, random: systemRandom });
const mask = createAttributeMasker([], Buffer.alloc(32, 1));
const lineOf = (more: Partial<DecisionRecord>, masker = mask) =>
  toLine(
    {
      time: new Date('2026-03-04T05:06:07.089Z'),
      organization,
      requestId: 'req_1',
      principal: { type: 'service_account', id: 'sa_1', credential: 'key_1…abcd' },
      subject: { type: 'user', id: 'usr_1' },
      action: 'read',
      resource: { type: 'document', id: '42' },
      decision: false,
      code: 'forbidden',
      rule: undefined,
      binding: undefined,
      policyRevision: 'r1',
      ...more,
    },
    masker,
  );
const manySecrets = Object.fromEntries(
  secretNames.flatMap((name) => [
    [name, 1],
    [name.toUpperCase(), 1],
  ]),
);

// Threat: a batch of a hundred questions inherits one large context, and each of its lines is as large again.
describe('the line of a record', () => {
  it.each([
    ['one long name around a secret', { context: { ['x'.repeat(10_000)]: { pin: 1 } } }],
    ['a name of 900 KB around fifty secrets', { context: { ['x'.repeat(900_000)]: manySecrets } }],
    ['a long name of escapes around fifty secrets', { context: { ['\u0000'.repeat(3_000)]: manySecrets } }],
    ['a million members', { context: Array.from({ length: 200_000 }, () => ({ pin: 1 })) as never }],
    ['long names side by side', { context: { ['a'.repeat(4_000)]: 1, ['b'.repeat(90_000)]: 1 } }],
  ])('stays under 8 KB for %s', (_what, attributes) => {
    for (const masker of [mask, removeAllAttributes]) {
      const line = lineOf({ attributes }, masker);
      expect(Buffer.byteLength(line)).toBeLessThan(8_192);
      expect(parseLine(line)).toBeDefined();
    }
  });

  it('stays under 16 KB whatever its names are, tells other names apart, and says that it shortened them', () => {
    const long = '\u0000'.repeat(1_024);
    const names = {
      subject: { type: long, id: `${long}a` },
      action: long,
      resource: { type: long, id: long },
      // A policy that is not ours gives any text it likes.
      code: 'x'.repeat(1_000_000),
      rule: 'y'.repeat(1_000_000),
      binding: 'z'.repeat(1_000_000),
    };
    const line = lineOf({ ...names, attributes: { context: { note: 'é'.repeat(2_000), ...manySecrets } } });
    expect(Buffer.byteLength(line)).toBeLessThan(16_384);
    expect(parseLine(line)).toMatchObject({ shortened: true, decision: false });
    expect(parseKeyMembers(line).subject.id).not.toBe(
      parseKeyMembers(lineOf({ ...names, subject: { type: long, id: `${long}b` } })).subject.id,
    );
  });

  it('keeps names of the length that a question may have as they are', () => {
    const id = 'i'.repeat(1_024);
    const record = parseLine(lineOf({ subject: { type: 't'.repeat(256), id }, resource: { type: 'd', id } }));
    expect(record).toMatchObject({ subject: { id }, resource: { id } });
    expect(record).not.toHaveProperty('shortened');
  });

  it('names what was masked, or says how much where names take too much', () => {
    expect(parseLine(lineOf({ attributes: { context: { pin: 1 } } }))).toMatchObject({
      masked: ['context.pin'],
    });
    const long = parseLine(lineOf({ attributes: { context: { ['x'.repeat(200)]: manySecrets } } }));
    expect(long).toMatchObject({ masked_left_out: Object.keys(manySecrets).length });
    expect(long).not.toHaveProperty('masked');
  });
});
