import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

export type Answer = {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
};

export type TourRequest = {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly bearer?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
};

const patienceMs = 20_000;

/**
 * One request as a careful client sends it: when the function is away (killed, restarting, busy) it is sent again,
 * which an Idempotency-Key makes safe. Any other answer is the answer.
 */
export async function ask(request: TourRequest): Promise<Answer> {
  const response = await patiently(request);
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

export async function download(request: TourRequest): Promise<Uint8Array> {
  const response = await patiently(request);
  if (!response.ok)
    throw new Error(`GET ${request.url} answered ${response.status}: ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** The body of an answer that must have the given status. */
export async function expectStatus(status: number, request: TourRequest): Promise<Record<string, unknown>> {
  const answer = await ask(request);
  if (answer.status !== status) {
    throw new Error(
      `${request.method ?? 'GET'} ${request.url} answered ${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`,
    );
  }
  return answer.body;
}

/** Asks again until `read` finds what it waits for; nothing here knows how long that may take but the limit. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  read: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`${what} did not happen within ${timeoutMs / 1000} s`);
    await pause(25);
  }
}

async function patiently(request: TourRequest): Promise<Response> {
  const deadline = performance.now() + patienceMs;
  const headers = {
    ...(request.bearer === undefined ? {} : { authorization: `Bearer ${request.bearer}` }),
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
    ...request.headers,
  };
  const body =
    request.body === undefined
      ? null
      : typeof request.body === 'string'
        ? request.body
        : JSON.stringify(request.body);
  for (;;) {
    try {
      const response = await fetch(request.url, {
        method: request.method ?? 'GET',
        headers,
        body,
        signal: AbortSignal.timeout(10_000),
      });
      if (response.status !== 503 || performance.now() > deadline) return response;
      await response.body?.cancel();
    } catch (error) {
      if (performance.now() > deadline)
        throw new Error(`${request.method ?? 'GET'} ${request.url} had no answer`, { cause: error });
    }
    await pause(50);
  }
}

/** A member of an answer that must be text. */
export function text(body: Record<string, unknown>, ...path: readonly (string | number)[]): string {
  const found = path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    body,
  );
  if (typeof found !== 'string')
    throw new Error(`The answer has no text at ${path.join('.')}: ${JSON.stringify(body)}`);
  return found;
}

export function items(body: Record<string, unknown>): Record<string, unknown>[] {
  const found = body['items'];
  if (!Array.isArray(found)) throw new Error(`The answer has no items: ${JSON.stringify(body)}`);
  return found;
}
