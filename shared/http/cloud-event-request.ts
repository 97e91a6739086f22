import type { IncomingHttpHeaders } from 'node:http';
import { fail, type JsonObject, type Result } from '../kernel/index.ts';

export type CloudEventRequestFailure = {
  readonly code: 'cloud_event.malformed' | 'cloud_event.batch_refused';
  readonly detail: string;
};

/** Attributes and data of one event; every attribute is text. The receiver checks what it needs of it. */
export type ReceivedCloudEvent = JsonObject & {
  readonly type: string;
  readonly id: string;
  readonly source: string;
};

/**
 * One CloudEvent from an HTTP request, HTTP protocol binding 1.0: structured mode, or binary mode (which KafkaSource
 * uses whatever the record was). Batches are refused: answering 2xx to one would lose all of its events.
 */
export function readCloudEvent(
  headers: IncomingHttpHeaders,
  body: Buffer,
): Result<ReceivedCloudEvent, CloudEventRequestFailure> {
  const contentType = (headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  if (contentType.startsWith('application/cloudevents-batch')) {
    return fail({ code: 'cloud_event.batch_refused', detail: 'Content-Type names a batch' });
  }
  if (contentType === 'application/cloudevents+json') return checked(parseJson(body));
  if (headers['ce-specversion'] !== undefined) return checked(binaryEvent(headers, contentType, body));
  return malformed('It has neither ce-specversion nor content type application/cloudevents+json');
}

function binaryEvent(headers: IncomingHttpHeaders, contentType: string, body: Buffer): unknown {
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith('ce-'))
    .map(([name, value]) => [name.slice(3), decoded(String(value))] as const);
  const data = body.length === 0 ? undefined : parseJson(body);
  if (body.length > 0 && data === undefined) return undefined;
  return {
    ...Object.fromEntries(attributes),
    ...(contentType === '' ? {} : { datacontenttype: contentType }),
    ...(data === undefined ? {} : { data }),
  };
}

function checked(event: unknown): Result<ReceivedCloudEvent, CloudEventRequestFailure> {
  if (typeof event !== 'object' || event === null || Array.isArray(event))
    return malformed('The body is not a JSON object');
  const missing = ['specversion', 'id', 'source', 'type'].filter((name) => {
    const value: unknown = Reflect.get(event, name);
    return typeof value !== 'string' || value === '';
  });
  if (missing.length > 0) return malformed(`It lacks ${missing.join(', ')}`);
  return { ok: true, value: { ...event, ...stableTime(event) } as ReceivedCloudEvent };
}

/** A middleman may rewrite the time in another form of the same instant; the producer's form is ISO with milliseconds. */
function stableTime(event: object): { time?: string } {
  const time: unknown = Reflect.get(event, 'time');
  const instant = new Date(typeof time === 'string' ? time : Number.NaN);
  return Number.isNaN(instant.getTime()) ? {} : { time: instant.toISOString() };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

/** Header values are percent-encoded, HTTP protocol binding section 3.1.3.2. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function malformed(detail: string): Result<never, CloudEventRequestFailure> {
  return fail({ code: 'cloud_event.malformed', detail });
}
