import { toActor } from '../../shared/authentication/index.ts';
import type { ProblemFailure } from '../../shared/http/index.ts';
import { type RecordedResponse, runOnce } from '../../shared/idempotency/index.ts';
import { canonicalJson, fail, type JsonValue, ok, type Result } from '../../shared/kernel/index.ts';
import type { AdminDeps } from './admin-deps.ts';
import { admitCaller } from './admit-caller.ts';
import { authorise } from './authorise.ts';
import type { Operation, OperationContext, Outcome, ReadyOperation, Reply } from './operation.ts';
import { malformed, type RawRequest } from './parse-request.ts';

export type IncomingRequest = RawRequest & {
  readonly target: string;
  readonly authorization: string | undefined;
  readonly idempotencyKey: string | undefined;
  readonly requestId: string;
  readonly clientAddress: string;
};

/** What it made would work on when the delegation has ended, and without the name of who acts. */
const delegated = {
  code: 'authorization.not_permitted',
  detail:
    'A delegated token cannot make or revive a credential: the account itself must, or an administrator',
} as const satisfies ProblemFailure;

export type Answer = Omit<RecordedResponse, 'body'> & { readonly body: string | Uint8Array };

/** Authenticate, parse, authorise, check, act, present: the same six steps for every operation. */
export async function runOperation(
  deps: AdminDeps,
  operation: Operation,
  request: IncomingRequest,
): Promise<Result<Answer, ProblemFailure>> {
  const caller = await admitCaller(deps, request);
  if (!caller.ok) return caller;
  const prepared = operation.prepare(request);
  if (!prepared.ok) return prepared;
  const permitted = await authorise(deps, caller.value, operation, prepared.value);
  if (!permitted.ok) return fail(toPublic(permitted.failure));
  if (operation.makesCredential && caller.value.actedBy !== undefined) return fail(delegated);
  const context = { caller: caller.value, actor: toActor(caller.value), ...permitted.value };
  const ready = await prepared.value.check(deps, context);
  if (!ready.ok) return ready;
  if (operation.creates && request.idempotencyKey !== undefined)
    return actOnce(deps, operation, request, { act: ready.value, caller: caller.value });
  const outcome = await ready.value(deps);
  return outcome.ok ? ok(present(operation, outcome.value)) : outcome;
}

async function actOnce(
  deps: AdminDeps,
  operation: Operation,
  request: IncomingRequest,
  { act, caller }: { act: ReadyOperation; caller: OperationContext['caller'] },
): Promise<Result<Answer, ProblemFailure>> {
  const key = request.idempotencyKey ?? '';
  if (!/^[\x21-\x7e]{1,128}$/.test(key))
    return malformed([
      { path: 'header.Idempotency-Key', message: 'must be 1 to 128 visible ASCII characters' },
    ]);
  let refused: ProblemFailure | undefined;
  const answered = await runOnce(
    { pool: deps.pool, store: deps.stores.idempotency, responses: deps.rings.responses, clock: deps.clock },
    { organizationId: caller.organizationId, caller, key, content: contentOf(operation, request) },
    async (pool) => {
      const outcome: Outcome = await act({ ...deps, pool });
      if (outcome.ok) return toRecorded(present(operation, outcome.value));
      refused = outcome.failure;
      return { status: 400, headers: {}, body: '' };
    },
  );
  if (refused !== undefined) return fail(refused);
  if (!answered.ok) return answered;
  const { isReplayed, headers, ...rest } = answered.value;
  return ok({ ...rest, headers: isReplayed ? { ...headers, 'idempotency-replayed': 'true' } : headers });
}

/** The same JSON in another order or spacing is the same request. */
function contentOf(operation: Operation, request: IncomingRequest): string {
  const body: JsonValue = request.body.length === 0 ? {} : JSON.parse(request.body.toString('utf8'));
  return `${operation.method} ${request.target}\n${canonicalJson(body)}`;
}

function present(operation: Operation, reply: Reply): Answer {
  if (reply.file !== undefined) return presentFile(reply.file);
  const location = reply.location === undefined ? {} : { location: reply.location };
  return {
    status: operation.status,
    headers: { 'content-type': 'application/json', ...location },
    body: JSON.stringify(reply.body),
  };
}

/** Never shown inline, never sniffed: an export holds text that others wrote. */
function presentFile(file: NonNullable<Reply['file']>): Answer {
  const headers = {
    'content-type': file.contentType,
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  };
  return { status: 200, headers, body: file.bytes };
}

function toRecorded(answer: Answer): RecordedResponse {
  if (typeof answer.body !== 'string') throw new Error('A file cannot be the answer of a creating operation');
  return { ...answer, body: answer.body };
}

/** The policy's reason is for the decision record; a caller learns which permission it lacks. */
function toPublic(
  failure: Exclude<Awaited<ReturnType<typeof authorise>>, { ok: true }>['failure'],
): ProblemFailure {
  if (failure.code !== 'authorization.not_permitted') return failure;
  return { code: failure.code, detail: failure.detail };
}
