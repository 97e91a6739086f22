import { type Clock, DeadlineError, fail, ok, type Result, withDeadline } from '../kernel/index.ts';
import type { PepFailure } from './outcome.ts';
import type { CallContext } from './pep.ts';

export type DecisionPointDeps = {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
};

export type DecisionPointAnswer = {
  readonly json: unknown;
  readonly headers: Headers;
  /** Lifetimes count from here: an answer is at most as old as its question. */
  readonly askedAt: Date;
};

export type DecisionPointCall = CallContext & { readonly credential: string; readonly body: string };

export type AskDecisionPoint = (
  path: string,
  call: DecisionPointCall,
) => Promise<Result<DecisionPointAnswer, PepFailure>>;

/** A full batch with reasons is a tenth of it. */
const answerBytesMax = 1024 * 1024;

/** One POST with a deadline that covers the body too. Everything but a complete JSON 200 is a failure. */
export function createDecisionPoint(
  { fetch, clock }: DecisionPointDeps,
  { url, timeoutMs }: { url: string; timeoutMs: number },
): AskDecisionPoint {
  const base = requireBaseUrl(url);
  return async (path, call) => {
    const askedAt = clock.now();
    try {
      return await withDeadline({ what: 'The decision', timeoutMs }, async (signal) => {
        // A redirect is not followed: it would take credential and question to whoever it names.
        const response = await fetch(base + path, {
          method: 'POST',
          headers: toHeaders(call),
          body: call.body,
          redirect: 'manual',
          signal,
        });
        return await readAnswer(response, askedAt);
      });
    } catch (cause) {
      const code = cause instanceof DeadlineError ? 'decision_point.timeout' : 'decision_point.unreachable';
      return fail<PepFailure>({ code, cause });
    }
  };
}

async function readAnswer(
  response: Response,
  askedAt: Date,
): Promise<Result<DecisionPointAnswer, PepFailure>> {
  const refusal = refuseStatus(response) ?? refuseType(response);
  const bytes = refusal === undefined ? await readBytes(response) : undefined;
  if (bytes === undefined) {
    await response.body?.cancel().catch(() => undefined);
    return fail(refusal ?? { code: 'answer.too_large' });
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return ok({ json: JSON.parse(text), headers: response.headers, askedAt });
  } catch (cause) {
    return fail<PepFailure>({ code: 'answer.malformed', cause });
  }
}

function refuseStatus({ status, type }: Response): PepFailure | undefined {
  if (status === 200) return undefined;
  // Browsers and edge runtimes hide the status of a redirect they did not follow.
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    return { code: 'decision_point.redirected', status };
  }
  const isRefused = status >= 400 && status < 500;
  return { code: isRefused ? 'decision_point.refused' : 'decision_point.failed', status };
}

/** A captive portal or a proxy's page is 200 too. */
function refuseType({ headers }: Response): PepFailure | undefined {
  const isJson = /^application\/json\s*(;|$)/i.test(headers.get('content-type') ?? '');
  return isJson ? undefined : { code: 'answer.malformed' };
}

/** Undefined when it is longer than any answer of ours. */
async function readBytes({ body }: Response): Promise<Uint8Array | undefined> {
  const reader = body?.getReader();
  let bytes = new Uint8Array();
  for (;;) {
    const chunk = await reader?.read();
    if (chunk?.value === undefined) return bytes;
    const longer = new Uint8Array(bytes.length + chunk.value.length);
    longer.set(bytes);
    longer.set(chunk.value, bytes.length);
    bytes = longer;
    if (bytes.length <= answerBytesMax) continue;
    reader?.releaseLock();
    return undefined;
  }
}

const requestIdPattern = /^[\x20-\x7e]{1,256}$/;
/** W3C Trace Context section 3.2: version ff and ids of zeros are not valid. */
const traceparentPattern = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const tracestatePattern = /^[\x20-\x7e]{1,512}$/;

/** What came from a stranger's request goes on only when it is well formed. */
function toHeaders(call: DecisionPointCall): Record<string, string> {
  const { requestId, traceparent, tracestate } = call;
  const isTraced = traceparent !== undefined && traceparentPattern.test(traceparent);
  return {
    'content-type': 'application/json',
    accept: 'application/json',
    authorization: `Bearer ${call.credential}`,
    ...(requestId !== undefined && requestIdPattern.test(requestId) ? { 'x-request-id': requestId } : {}),
    ...(isTraced ? { traceparent } : {}),
    ...(isTraced && tracestate !== undefined && tracestatePattern.test(tracestate) ? { tracestate } : {}),
  };
}

/** A wrong address is a fault of the program, told at its start. */
function requireBaseUrl(text: string): string {
  const url = new URL(text);
  const isPlain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (!/^https?:$/.test(url.protocol) || !isPlain) {
    throw new TypeError('"url" must be http or https, without credentials, query or fragment');
  }
  return url.href.replace(/\/+$/, '');
}
