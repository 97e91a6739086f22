import { isRecord, memberOf } from './question.ts';

/**
 * How long an answer may be used again, in milliseconds from the moment the question was sent; 0 unless the decision
 * point says otherwise. In order: the decision's own `context.cache_seconds` (a number) and `context.expires_at`
 * (RFC 3339), the shorter of the two; else `Cache-Control: max-age` of the response less its `Age`, unless it says
 * `no-store`, `no-cache` or `must-understand`. What cannot be read counts as 0.
 */
export function readLifetimeMs(answer: unknown, headers: Headers, now: Date): number {
  const context = memberOf(answer, 'context');
  const stated = isRecord(context)
    ? [secondsToMs(context['cache_seconds']), untilMs(context['expires_at'], now)].filter(isPresent)
    : [];
  return stated.length > 0 ? Math.min(...stated) : headerLifetimeMs(headers);
}

function secondsToMs(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? value * 1000 : 0;
}

function untilMs(value: unknown, now: Date): number | undefined {
  if (value === undefined) return undefined;
  const isInstant = typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/i.test(value);
  const until = isInstant ? Date.parse(value) - now.getTime() : 0;
  return until > 0 ? until : 0;
}

/** RFC 9111 section 5.2.2. A directive given twice, or with a value that is no number, is not believed. */
function headerLifetimeMs(headers: Headers): number {
  const directives = (headers.get('cache-control') ?? '').toLowerCase().split(',');
  const named = (name: string) =>
    directives.map((text) => text.trim()).filter((text) => text.split('=')[0] === name);
  if (['no-store', 'no-cache', 'must-understand'].some((name) => named(name).length > 0)) return 0;
  const [maxAge, ...more] = named('max-age');
  const seconds = /^max-age="?(\d{1,9})"?$/.exec(maxAge ?? '')?.[1];
  const age = /^\d{1,9}$/.exec(headers.get('age') ?? '0')?.[0];
  if (seconds === undefined || age === undefined || more.length > 0) return 0;
  return Math.max(0, Number(seconds) - Number(age)) * 1000;
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
