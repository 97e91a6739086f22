import type { IncomingMessage, ServerResponse } from 'node:http';
import { decodeJwt } from 'jose';
import { networkOf, type RequestContext } from '../../shared/http/index.ts';
import {
  type Admission,
  admitProven,
  attemptFrom,
  type CallerLimits,
} from '../../shared/rate-limit/index.ts';
import type { ClientKey } from './client-authentication.ts';

/** Answers, and tells whether its client has authenticated. */
export type ClientOperation = (
  req: IncomingMessage,
  res: ServerResponse,
  context: RequestContext,
) => Promise<{ readonly isProven: boolean }>;

/** Lets an address that has failed too often wait, before anything is looked up for it. */
export function limitFailures(
  limits: CallerLimits,
  operation: ClientOperation,
): (...request: Parameters<ClientOperation>) => Promise<void> {
  return async (req, res, context) => {
    const attempt = await attemptFrom(limits, networkOf(context.clientAddress), {
      run: () => operation(req, res, context),
      // Any refusal of the library, but of a client that has proven who it is: that one pays itself. 429 is said of who
      // has proven it in any way.
      hasFailed: ({ isProven }) =>
        !isProven && res.statusCode >= 400 && res.statusCode < 500 && res.statusCode !== 429,
    });
    if ('admission' in attempt) sendTooOften(res, attempt.admission.retryAfterSeconds);
  };
}

/** Whether this token may be given now: by whom it is for, and by the key that asked for it, if a key did. */
export function admitToken(limits: CallerLimits, jwt: string): Promise<Admission> {
  const { sub, org_id, api_key_id } = decodeJwt<{ org_id?: unknown; api_key_id?: unknown }>(jwt);
  const keyId = typeof api_key_id === 'string' ? api_key_id : undefined;
  return admitProven(limits, { callerId: `${org_id} ${sub}`, keyId });
}

/** What a client that has proven who it is asks for in vain counts as what it gets. */
export function admitRefusal(limits: CallerLimits, key: ClientKey): Promise<Admission> {
  return admitProven(limits, { callerId: `${key.organizationId} ${key.serviceAccountId}`, keyId: key.id });
}

/** RFC 6749 has no word for it; 429 (RFC 6585 section 4) says it, and its nearest word tells a client to wait. */
export function tooOften(retryAfterSeconds: number) {
  return {
    status: 429,
    headers: { 'retry-after': String(retryAfterSeconds) },
    body: { error: 'temporarily_unavailable', error_description: 'too many requests' },
  };
}

function sendTooOften(res: ServerResponse, retryAfterSeconds: number): void {
  const { status, headers, body } = tooOften(retryAfterSeconds);
  res.writeHead(status, { ...headers, 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(body));
}
