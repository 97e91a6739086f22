import { expect, test } from 'vitest';
import { readLifetimeMs } from './decision-lifetime.ts';

const now = new Date('2026-01-01T00:00:00Z');
const lifetime = (context: unknown, headers: Record<string, string> = {}) =>
  readLifetimeMs(
    { decision: true, ...(context === undefined ? {} : { context }) },
    new Headers(headers),
    now,
  );

test.each<[string, number, unknown, Record<string, string>?]>([
  ['nothing said', 0, undefined],
  ['cache_seconds', 2500, { cache_seconds: 2.5 }],
  ['cache_seconds of zero', 0, { cache_seconds: 0 }, { 'cache-control': 'max-age=9' }],
  ['negative cache_seconds', 0, { cache_seconds: -1 }],
  ['cache_seconds as text', 0, { cache_seconds: '60' }],
  ['expires_at', 60_000, { expires_at: '2026-01-01T00:01:00Z' }],
  ['expires_at with an offset', 60_000, { expires_at: '2026-01-01T01:01:00+01:00' }],
  ['expires_at in the past', 0, { expires_at: '2025-12-31T23:59:59Z' }],
  [
    'expires_at without a zone, which means another instant in each place',
    0,
    { expires_at: '2026-01-01T00:01:00' },
  ],
  ['expires_at that is no date', 0, { expires_at: '2026-99-01T00:01:00Z' }],
  ['the shorter of both', 1000, { cache_seconds: 1, expires_at: '2026-01-01T00:01:00Z' }],
  ['unreadable beside readable', 0, { cache_seconds: 5, expires_at: 7 }],
  ['max-age', 30_000, undefined, { 'cache-control': 'private, max-age=30' }],
  ['max-age less age', 20_000, undefined, { 'cache-control': 'max-age=30', age: '10' }],
  ['age beyond max-age', 0, undefined, { 'cache-control': 'max-age=30', age: '31' }],
  ['an age that is no number', 0, undefined, { 'cache-control': 'max-age=30', age: 'old' }],
  ['no-store beside max-age', 0, undefined, { 'cache-control': 'max-age=30, no-store' }],
  ['no-cache beside max-age', 0, undefined, { 'cache-control': 'No-Cache, max-age=30' }],
  ['max-age twice', 0, undefined, { 'cache-control': 'max-age=30, max-age=60' }],
  ['max-age that is no number', 0, undefined, { 'cache-control': 'max-age=-1' }],
  ['s-maxage, which is for others', 0, undefined, { 'cache-control': 's-maxage=30' }],
  [
    'the decision itself, beside no-store for stores between',
    5000,
    { cache_seconds: 5 },
    { 'cache-control': 'no-store' },
  ],
])('%s: %d ms', (_name, expected, context, headers) => expect(lifetime(context, headers)).toBe(expected));
