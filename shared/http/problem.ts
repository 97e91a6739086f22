import type { Failure } from '../kernel/index.ts';

type Row = {
  readonly status: number;
  readonly title: string;
  readonly headers?: Readonly<Record<string, string>>;
};

const bearer = { 'www-authenticate': 'Bearer realm="uos"' };

/**
 * The one boundary between failures and the outside: each code that may leave, its status and public text.
 * A failure whose code has no row does not compile at `problem(...)`. All credential failures read alike.
 */
const problems = {
  'request.malformed': { status: 400, title: 'The request is malformed' },
  'request.unsupported_content_type': { status: 415, title: 'The content type is not supported' },
  'request.body_too_large': {
    status: 413,
    title: 'The request body is too large',
    headers: { connection: 'close' },
  },
  'request.body_timeout': {
    status: 408,
    title: 'The request body did not arrive in time',
    headers: { connection: 'close' },
  },
  'request.route_unknown': { status: 404, title: 'There is nothing at this address' },
  'request.method_not_allowed': { status: 405, title: 'The method is not one for this address' },
  'credential.missing': { status: 401, title: 'A credential is required', headers: bearer },
  'credential.invalid': {
    status: 401,
    title: 'The credential is not valid',
    headers: { 'www-authenticate': 'Bearer realm="uos", error="invalid_token"' },
  },
  'signature.invalid': { status: 401, title: 'The signature is missing or does not match' },
  'authorization.not_permitted': { status: 403, title: 'This caller may not do this' },
  'authorization.step_up_required': {
    status: 403,
    title: 'This action needs stronger authentication',
    headers: { 'www-authenticate': 'Bearer realm="uos", error="insufficient_user_authentication"' },
  },
  'scope.beyond_rights': { status: 422, title: 'A scope is beyond the rights it would narrow' },
  'resource.not_found': { status: 404, title: 'There is no such resource' },
  'resource.conflict': { status: 409, title: 'The resource is not in a state that allows this' },
  'resource.already_exists': { status: 409, title: 'The resource already exists' },
  'idempotency.key_reused': { status: 422, title: 'The idempotency key was used for a different request' },
  'idempotency.in_progress': {
    status: 409,
    title: 'The first request with this idempotency key is still under way',
    headers: { 'retry-after': '2' },
  },
  'cloud_event.malformed': { status: 400, title: 'The request is not one CloudEvent' },
  'cloud_event.batch_refused': {
    status: 415,
    title: 'CloudEvent batches are not accepted; send one event a request',
  },
  'rate_limit.exceeded': { status: 429, title: 'This caller asks too often' },
  'search.too_broad': { status: 500, title: 'The search has more candidates than can be tried' },
  'service.overloaded': { status: 503, title: 'The service is busy', headers: { 'retry-after': '1' } },
  'service.unavailable': {
    status: 503,
    title: 'The service cannot answer now',
    headers: { 'retry-after': '2' },
  },
  'service.internal': { status: 500, title: 'The service failed' },
} as const satisfies Record<string, Row>;

export type ProblemCode = keyof typeof problems;

export type ProblemFailure = Failure & {
  readonly code: ProblemCode;
  /** Shown to the caller. Says what and where; never a secret, never an internal message. */
  readonly detail?: string;
  /** Becomes Retry-After, in place of the one of the table. */
  readonly retryAfterSeconds?: number;
  /** Further public members, RFC 9457 section 3.2. */
  readonly [member: string]: unknown;
};

export type ProblemResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** Problem Details, RFC 9457, with the request id as `instance`. */
export function problem(failure: ProblemFailure, requestId: string): ProblemResponse {
  const row: Row = problems[failure.code];
  const { code, detail, ...members } = failure;
  const body = {
    type: `urn:uos:problem:${code}`,
    title: row.title,
    status: row.status,
    code,
    ...(detail === undefined ? {} : { detail }),
    instance: `urn:uos:request:${encodeURI(requestId)}`,
    ...members,
  };
  return {
    status: row.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...row.headers,
      ...(failure.retryAfterSeconds === undefined
        ? {}
        : { 'retry-after': String(failure.retryAfterSeconds) }),
    },
    body: JSON.stringify(body),
  };
}
