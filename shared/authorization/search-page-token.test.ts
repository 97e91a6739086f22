import { describe, expect, it } from 'vitest';
import { fail, ok, secondsAfter } from '../kernel/index.ts';
import { openPageToken, sealPageToken } from './search-page-token.ts';
import type { SearchQuestion } from './search-request.ts';

const question: SearchQuestion = {
  search: 'action',
  subject: { type: 'user', id: 'ann', properties: { a: 1, b: { c: 2, d: 3 } } },
  resource: { type: 'doc', id: '1', properties: undefined },
  context: { ip: '192.0.2.1' },
};
const query = { organizationId: 'org_1', question };
const start = new Date('2026-01-01T00:00:00Z');

/** What a real ring does with its context, without its secrecy. */
const keyRing = {
  seal: async (plaintext: string | Uint8Array, context: string) =>
    Buffer.from(JSON.stringify([context, plaintext])),
  open: async (box: Uint8Array, context: string) => {
    const [sealedFor, plaintext] = JSON.parse(Buffer.from(box).toString('utf8'));
    return sealedFor === context
      ? ok(Buffer.from(plaintext))
      : fail({ code: 'sealed_box.unreadable' } as const);
  },
};
const at = (now: Date) => ({ keyRing, clock: { now: () => now } });
const token = await sealPageToken(at(start), query, { after: 'read', limit: 5 });

describe('a page token', () => {
  it('opens for its query, however the members of it are ordered', async () => {
    const properties = { b: { d: 3, c: 2 }, a: 1 };
    const reordered = { ...question, subject: { ...question.subject, properties } };
    for (const same of [question, reordered]) {
      const opened = await openPageToken(at(start), { ...query, question: same }, token);
      expect(opened).toEqual({ ok: true, value: { after: 'read', limit: 5 } });
    }
  });

  it.each([
    ['organization', { ...query, organizationId: 'org_2' }],
    ['subject', { ...query, question: { ...question, subject: { ...question.subject, id: 'bea' } } }],
    [
      'attribute',
      { ...query, question: { ...question, subject: { ...question.subject, properties: { a: 1 } } } },
    ],
    ['context', { ...query, question: { ...question, context: undefined } }],
  ])('opens for no query with another %s', async (_, other) => {
    expect(await openPageToken(at(start), other, token)).toMatchObject({
      ok: false,
      failure: { code: 'request.malformed', detail: 'page.token is not one that this query was given' },
    });
  });

  it('ends after an hour', async () => {
    expect((await openPageToken(at(secondsAfter(start, 3_599)), query, token)).ok).toBe(true);
    expect(await openPageToken(at(secondsAfter(start, 3_600)), query, token)).toMatchObject({
      ok: false,
      failure: { detail: expect.stringContaining('expired') },
    });
  });
});
