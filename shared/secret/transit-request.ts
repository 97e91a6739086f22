import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { type Random, withDeadline } from '../kernel/index.ts';
import { KeyWrapperError } from './key-wrapper.ts';

/** An OpenBao or HashiCorp Vault server, as far as every request to it needs it. */
export type TransitServer = {
  /** Scheme, host and port. */
  readonly address: string;
  readonly namespace?: string;
  readonly timeoutMs?: number;
  readonly backoffMs?: number;
};

export type TransitKey = { readonly mount: string; readonly name: string };
export type TransitRequest = { readonly path: string; readonly token?: string; readonly body: object };
export type TransitAnswer = { readonly status: number; readonly body: unknown };

const attemptsMax = 5;
const answerBytesMax = 65_536;

/**
 * One POST, repeated while the fault may pass: no answer, 5xx (503: sealed), and what a node that does not lead may
 * answer (307, 412, 429, 472, 473). Throws after the last; every other answer is returned. All we send may be
 * repeated: an encryption whose answer was lost leaves nothing behind.
 */
export async function postTransit(
  server: TransitServer,
  deps: { random: Random },
  request: TransitRequest,
): Promise<TransitAnswer> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await postOnce(server, request).catch((cause: unknown) => ({ cause }));
    if (!('cause' in outcome) && !mayPass(outcome.status)) return outcome;
    if (attempt === attemptsMax) throw unreachable(server, request, outcome);
    await pause(jittered((server.backoffMs ?? 200) * 2 ** (attempt - 1), deps.random));
  }
}

const errorsBody = z.object({ errors: z.array(z.string().transform((text) => text.slice(0, 200))).max(10) });

/** What the server says of a refusal: `{"errors": [...]}`. */
export function errorsOf(answer: TransitAnswer): string {
  const parsed = errorsBody.safeParse(answer.body);
  return parsed.success ? parsed.data.errors.join('; ') : '';
}

/** For messages: what was asked of whom, never a token. */
export function describe(server: TransitServer, request: Pick<TransitRequest, 'path'>): string {
  return `POST ${server.address}${request.path}`;
}

function mayPass(status: number): boolean {
  return status >= 500 || [307, 412, 429, 472, 473].includes(status);
}

async function postOnce(
  server: TransitServer,
  { path, token, body }: TransitRequest,
): Promise<TransitAnswer> {
  return withDeadline(
    { what: describe(server, { path }), timeoutMs: server.timeoutMs ?? 3_000 },
    async (signal) => {
      const response = await fetch(server.address + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          ...(token === undefined ? {} : { 'x-vault-token': token }),
          ...(server.namespace === undefined ? {} : { 'x-vault-namespace': server.namespace }),
        },
        body: JSON.stringify(body),
        signal,
        // A redirect would carry the token to whatever host it names.
        redirect: 'manual',
      });
      const text = await readBounded(response);
      const shown = response.ok ? text : withoutSent(text, [token, ...Object.values(body)]);
      return { status: response.status, body: parseJson(shown) };
    },
  );
}

async function readBounded(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > answerBytesMax) throw new Error(`the answer exceeds ${answerBytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/**
 * Threat: an error page that repeats what it was sent would bring a token or a data key into a message, and so into a
 * log.
 */
function withoutSent(text: string, sent: readonly unknown[]): string {
  const secrets = sent.filter((value) => typeof value === 'string' && value.length >= 8);
  return secrets.reduce<string>((shown, secret) => shown.replaceAll(String(secret), '[sent]'), text);
}

/** A proxy in between may answer a page: no JSON is no message, the status still counts. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(
  server: TransitServer,
  request: TransitRequest,
  outcome: TransitAnswer | { cause: unknown },
): KeyWrapperError {
  if ('cause' in outcome)
    return new KeyWrapperError(`${describe(server, request)} got no answer`, { cause: outcome.cause });
  const message = `${describe(server, request)} answers ${outcome.status} (${errorsOf(outcome)})`;
  // The code lets it be seen as transient; see isTransientError.
  return Object.assign(new KeyWrapperError(message), { code: 'ETIMEDOUT' });
}

/** Between half and all of the wait, so that instances that failed together do not return together. */
function jittered(waitMs: number, random: Random): number {
  return waitMs * (0.5 + (random.bytes(1)[0] ?? 0) / 510);
}
