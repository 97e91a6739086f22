import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { AwsV4Signer } from 'aws4fetch';
import { type Clock, type Random, withDeadline } from '../kernel/index.ts';
import { ObjectStoreError, objectBytesMax } from './object-store.ts';

export type S3Settings = {
  /** Scheme, host and port; buckets are addressed by path. */
  endpoint: string;
  bucket: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
};

export type S3Deps = { clock: Clock; random: Random };

export type S3Request = {
  method: 'GET' | 'PUT' | 'DELETE';
  key?: string;
  query?: Readonly<Record<string, string>>;
  body?: Uint8Array;
  contentType?: string;
};

export type S3Answer = { status: number; body: Uint8Array };

const attemptsMax = 5;
const backoffMs = 100;
const timeoutMs = 15_000;
const timeoutMsPerMiB = 1_000;

/**
 * One signed request, retried while the fault may pass: no answer, 429 or 5xx. Every operation we send is
 * idempotent, so a retry after a lost answer is safe. The last answer is returned whatever its status.
 */
export async function sendS3(settings: S3Settings, deps: S3Deps, request: S3Request): Promise<S3Answer> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await sendOnce(settings, deps.clock, request).catch((cause: unknown) => ({ cause }));
    const isLast = attempt === attemptsMax;
    if ('cause' in outcome) {
      if (isLast)
        throw new ObjectStoreError(`${describe(settings, request)} got no answer`, { cause: outcome.cause });
    } else if (isLast || !isTransient(outcome.status)) {
      return outcome;
    }
    await pause(jittered(backoffMs * 2 ** (attempt - 1), deps.random));
  }
}

/** For messages: what was asked of whom, without credentials. */
export function describe(settings: S3Settings, request: S3Request): string {
  return `S3 ${request.method} ${settings.endpoint}/${settings.bucket}/${request.key ?? ''}`;
}

function isTransient(status: number): boolean {
  return status === 429 || status >= 500;
}

async function sendOnce(settings: S3Settings, clock: Clock, request: S3Request): Promise<S3Answer> {
  const { url, method, headers } = await sign(settings, clock, request);
  const mebibytes = (request.body?.byteLength ?? 0) / 2 ** 20;
  return withDeadline(
    { what: describe(settings, request), timeoutMs: timeoutMs + mebibytes * timeoutMsPerMiB },
    async (signal) => {
      const body = request.body === undefined ? null : new Uint8Array(request.body);
      const response = await fetch(url, { method, headers, body, signal, redirect: 'error' });
      return { status: response.status, body: await readBounded(response) };
    },
  );
}

/**
 * The payload's digest is signed, so the server refuses a body damaged on its way. No checksum header beyond that:
 * Linode answers XAmzContentSHA256Mismatch to the CRC32 trailers that AWS SDKs send by default.
 */
async function sign(settings: S3Settings, clock: Clock, request: S3Request) {
  const url = new URL(`${settings.endpoint}/${settings.bucket}/${request.key ?? ''}`);
  for (const [name, value] of Object.entries(request.query ?? {})) url.searchParams.set(name, value);
  const digest = createHash('sha256')
    .update(request.body ?? '')
    .digest('hex');
  const contentType = request.contentType === undefined ? {} : { 'content-type': request.contentType };
  return new AwsV4Signer({
    method: request.method,
    url: url.href,
    headers: { 'x-amz-content-sha256': digest, ...contentType },
    service: 's3',
    region: settings.region,
    datetime: clock
      .now()
      .toISOString()
      .replace(/[:-]|\.\d{3}/g, ''),
    ...settings.credentials,
  }).sign();
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength;
    if (length > objectBytesMax) throw new Error(`the answer exceeds ${objectBytesMax} bytes`);
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

/** Between half and all of the wait, so that instances that failed together do not return together. */
function jittered(waitMs: number, random: Random): number {
  return waitMs * (0.5 + (random.bytes(1)[0] ?? 0) / 510);
}
