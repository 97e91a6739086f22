import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sealedMemberSchema } from '../events/index.ts';
import { systemRandom as random } from '../kernel/index.ts';
import { generationOf, openMember, sealMember } from './sealed-text.ts';

const key = { generation: 3, bytes: random.bytes(32) };
const place = {
  event: { id: 'evt_1', type: 'uos.membership.created.v1' },
  subject: 'usr_1',
  path: 'personal.email.after',
};
const seal = (text: string) => sealMember({ random }, { ...place, key, text });

describe('a sealed member', () => {
  test('opens to the text that was sealed, and is what an event may hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 254 }), (text) => {
        const member = seal(text);
        expect(sealedMemberSchema.safeParse(member).success).toBe(true);
        expect(openMember({ ...place, key, member })).toEqual({ ok: true, value: text });
      }),
    );
  });

  // Threat: a text moved to another event, field or person would say there what was never said.
  test.each([
    ['event', { event: { ...place.event, id: 'evt_2' } }],
    ['type of event', { event: { ...place.event, type: 'uos.membership.removed.v1' } }],
    ['field', { path: 'personal.email.before' }],
    ['subject', { subject: 'usr_2' }],
  ])('does not open in another %s', (_what, other) => {
    expect(openMember({ ...place, ...other, key, member: seal('ada@example.org') }).ok).toBe(false);
  });

  test('does not open with another key', () => {
    const other = { ...key, bytes: random.bytes(32) };
    expect(openMember({ ...place, key: other, member: seal('ada@example.org') }).ok).toBe(false);
  });

  test('states the generation of its key', () => {
    expect(generationOf(seal('x'))).toEqual({ ok: true, value: 3 });
  });

  // Threat: once the text is gone, its exact length would still tell two persons apart.
  test('is as long for texts of like length', () => {
    expect(
      new Set(['a@b.ee', 'ada@example.org', 'Ada Lovelace'].map((text) => seal(text).sealed.length)).size,
    ).toBe(1);
  });
});
