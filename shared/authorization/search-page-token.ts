import { createHash } from 'node:crypto';
import { z } from 'zod';
import {
  type Clock,
  type Fail,
  fail,
  ok,
  type Result,
  secondsAfter,
  toNumericDate,
} from '../kernel/index.ts';
import type { KeyRing } from '../secret/index.ts';
import type { EvaluationRequestFailure } from './authzen.ts';
import type { SearchQuestion } from './search-request.ts';

export type PageTokenDeps = { readonly keyRing: Pick<KeyRing, 'seal' | 'open'>; readonly clock: Clock };

/** `limit` as the first request had it; it holds for all pages. */
export type PagePosition = { readonly after: string; readonly limit: number };

type Query = { readonly organizationId: string; readonly question: SearchQuestion };

const lifetimeSeconds = 3_600;
const contentSchema = z.object({ after: z.string(), limit: z.int().min(0), until: z.int() });

/**
 * Opaque, and good for the same query alone (AuthZEN 1.0 section 8.2). Sealed and not just signed, since the position
 * may be a candidate that was not permitted; any instance opens it. The query is not in it but guards it.
 */
export async function sealPageToken(
  deps: PageTokenDeps,
  query: Query,
  position: PagePosition,
): Promise<string> {
  const until = toNumericDate(secondsAfter(deps.clock.now(), lifetimeSeconds));
  const sealed = await deps.keyRing.seal(JSON.stringify({ ...position, until }), digest(query));
  return sealed.toString('base64url');
}

export async function openPageToken(
  deps: PageTokenDeps,
  query: Query,
  token: string,
): Promise<Result<PagePosition, EvaluationRequestFailure>> {
  const opened = await deps.keyRing.open(Buffer.from(token, 'base64url'), digest(query));
  if (!opened.ok) return refuse('page.token is not one that this query was given');
  const { until, ...position } = contentSchema.parse(JSON.parse(opened.value.toString('utf8')));
  if (until <= toNumericDate(deps.clock.now()))
    return refuse('page.token has expired; begin with the first page');
  return ok(position);
}

/** Of the query's meaning: the same members in another order are the same query. */
function digest({ organizationId, question }: Query): string {
  const text = JSON.stringify([organizationId, question], (_, value: unknown) => inOrder(value));
  return createHash('sha256').update(text).digest('base64url');
}

function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function refuse(detail: string): Fail<EvaluationRequestFailure> {
  return fail({ code: 'request.malformed', detail });
}
