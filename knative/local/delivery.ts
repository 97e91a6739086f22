import { setTimeout as pause } from 'node:timers/promises';

/** One CloudEvent on its way: attributes as text, data as any JSON. */
export type TravellingEvent = Readonly<Record<string, unknown>>;

export type DeliveryRules = {
  /** Attempts after the first. */
  readonly retry: number;
  readonly backoffPolicy: 'linear' | 'exponential';
  readonly backoffDelayMs: number;
  readonly timeoutMs: number;
};

export type DeliveryOutcome =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly code: number | undefined; readonly reason: string };

const backoffMsMax = 10_000;

/**
 * Delivers by Knative's table (knative/eventing pkg/kncloudevents/retries.go): retried are no response, 5xx, 404,
 * 408, 409 and 429; any other 4xx ends at once; a reply that has a body but is no CloudEvent is an error.
 */
export async function deliver(input: {
  url: string;
  event: TravellingEvent;
  rules: DeliveryRules;
  signal: AbortSignal;
}): Promise<DeliveryOutcome> {
  let last: DeliveryOutcome = { delivered: false, code: undefined, reason: 'not tried' };
  for (let attempt = 0; attempt <= input.rules.retry; attempt++) {
    if (attempt > 0) await pause(backoffOf(input.rules, attempt), undefined, { signal: input.signal });
    const outcome = await attemptOnce(input);
    if (outcome.delivered || !isRetried(outcome.code)) return outcome;
    last = outcome;
  }
  return last;
}

export function backoffOf(rules: DeliveryRules, attempt: number): number {
  const factor = rules.backoffPolicy === 'linear' ? attempt : 2 ** (attempt - 1);
  return Math.min(rules.backoffDelayMs * factor, backoffMsMax);
}

function isRetried(code: number | undefined): boolean {
  return code === undefined || code >= 500 || [404, 408, 409, 429].includes(code);
}

async function attemptOnce(input: {
  url: string;
  event: TravellingEvent;
  rules: DeliveryRules;
  signal: AbortSignal;
}): Promise<DeliveryOutcome> {
  const { headers, body } = toBinaryMode(input.event);
  try {
    const response = await fetch(input.url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: AbortSignal.any([input.signal, AbortSignal.timeout(input.rules.timeoutMs)]),
    });
    const reply = await response.text();
    if (!response.ok) return { delivered: false, code: response.status, reason: reply.slice(0, 500) };
    if (reply !== '')
      return {
        delivered: false,
        code: response.status,
        reason: 'The reply has a body that is no CloudEvent',
      };
    return { delivered: true };
  } catch (error) {
    input.signal.throwIfAborted();
    return {
      delivered: false,
      code: undefined,
      reason: error instanceof Error ? error.message : String(error),
    };
  }
}

/** Binary mode, as Kafka's data plane sends whatever the record was (HTTP protocol binding 1.0 section 3.1). */
export function toBinaryMode(event: TravellingEvent): { headers: Record<string, string>; body: string } {
  const { data, datacontenttype, ...attributes } = event;
  const headers = Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [`ce-${name}`, percentEncoded(String(value))]),
  );
  return {
    headers: {
      ...headers,
      'content-type': typeof datacontenttype === 'string' ? datacontenttype : 'application/json',
    },
    body: data === undefined ? '' : JSON.stringify(data),
  };
}

/** Section 3.1.3.2: space, double quote, percent and all outside printable ASCII. */
function percentEncoded(value: string): string {
  return value.replace(/[^\x21\x23\x24\x26-\x7e]/gu, (character) => encodeURIComponent(character));
}

/** ISO 8601 duration of seconds and minutes, as the manifests use: `PT0.2S`, `PT9M30S`. */
export function durationMs(text: string): number {
  const match = /^PT(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$/.exec(text);
  if (match === null || (match[1] === undefined && match[2] === undefined))
    throw new Error(`"${text}" is not a duration such as PT0.5S`);
  return Math.round(Number(match[1] ?? 0) * 60_000 + Number(match[2] ?? 0) * 1_000);
}
