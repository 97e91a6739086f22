import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { DatabasePool } from '../db/index.ts';
import { withOrg } from '../db/index.ts';
import {
  type Clock,
  canonicalJson,
  fail,
  invariant,
  ok,
  type Result,
  secondsAfter,
} from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { KeyRing } from '../secret/index.ts';
import type { IdempotencyRecord, IdempotencyRecordStore } from './idempotency-record-store.ts';
import { withJoinedTransaction } from './joined-transaction.ts';

/** How long a retry finds the first answer. */
export const retentionSeconds = 24 * 60 * 60;

/** What the use case of this module stands on. `responses` is the key ring of purpose `idempotency`. */
export type IdempotencyDeps = {
  readonly pool: DatabasePool;
  readonly store: IdempotencyRecordStore;
  readonly responses: KeyRing;
  readonly clock: Clock;
};

/**
 * Who asks, and how far its credential reaches. Not which credential: a retry may come after a rotation.
 * Threat: an answer shows a secret. A narrow credential that repeats the request of a wide one of its account would be
 * shown what it could not have got itself.
 */
export type IdempotentCaller = {
  readonly id: string;
  readonly scopes?: readonly string[];
  readonly actedBy?: readonly string[];
  readonly allowedNetworks?: readonly string[];
  readonly expiresAt?: Date;
};

export type IdempotentRequest = {
  /** The caller's own organization. Keys of different callers have nothing to do with each other. */
  readonly organizationId: OrganizationId;
  readonly caller: IdempotentCaller;
  readonly key: string;
  /** All that makes the request what it is: the same text is the same request. */
  readonly content: string;
};

export type RecordedResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** `in_progress`: the first of its kind is still under way after `waiting.turns` looks. */
export type RunOnceFailure = { readonly code: 'idempotency.key_reused' | 'idempotency.in_progress' };

type Outcome = Result<RecordedResponse & { readonly isReplayed: boolean }, RunOnceFailure>;
type Work = (pool: DatabasePool) => Promise<RecordedResponse>;

/** Together longer than the server lets a transaction stand idle: whoever holds a key has ended by then. */
const waiting = { turns: 300, pauseMs: 50 };

/**
 * Answers a request once per key (draft-ietf-httpapi-idempotency-key-header): whoever repeats it gets the first answer,
 * also while the first is still under way, also when the process died after it. `work` makes its change through the
 * pool it is given, so that change and answer commit together. Only successes are kept: a refusal changed nothing, and
 * the same request may succeed later. Whoever waits for the first holds no connection meanwhile.
 */
export async function runOnce(
  deps: IdempotencyDeps,
  request: IdempotentRequest,
  work: Work,
  { turns, pauseMs } = waiting,
): Promise<Outcome> {
  for (let turn = 1; turn <= turns; turn++) {
    const attempt = await tryOnce(deps, request, work);
    if (attempt.state === 'answered') return ok({ ...attempt.response, isReplayed: false });
    if (attempt.state === 'recorded') return replay(deps, request, attempt.record);
    await pause(pauseMs);
  }
  return fail({ code: 'idempotency.in_progress' });
}

type Attempt =
  | { readonly state: 'busy' }
  | { readonly state: 'recorded'; readonly record: IdempotencyRecord }
  | { readonly state: 'answered'; readonly response: RecordedResponse };

async function tryOnce(deps: IdempotencyDeps, request: IdempotentRequest, work: Work): Promise<Attempt> {
  const { organizationId } = request;
  const key = `${callerOf(request)} ${request.key}`;
  return withJoinedTransaction(deps.pool, organizationId, async (tx, joined): Promise<Attempt> => {
    if (!(await deps.store.tryLock(tx, key))) return { state: 'busy' };
    const now = deps.clock.now();
    const expiredBefore = secondsAfter(now, -retentionSeconds);
    const record = await deps.store.find(tx, key);
    if (record !== undefined && record.createdAt >= expiredBefore) return { state: 'recorded', record };
    const response = await work(joined);
    if (response.status < 300) {
      const recorded = await toRecord(deps, request, response);
      const added = { key, ...recorded, createdAt: now };
      await withOrg(joined, organizationId, (own) =>
        deps.store.add(own, organizationId, added, expiredBefore),
      );
    }
    return { state: 'answered', response };
  });
}

async function toRecord(deps: IdempotencyDeps, request: IdempotentRequest, response: RecordedResponse) {
  const { headers, body } = response;
  return {
    requestHash: hashOf(request.content),
    responseStatus: response.status,
    responseSealed: await deps.responses.seal(JSON.stringify({ headers, body }), contextOf(request)),
  };
}

async function replay(
  deps: IdempotencyDeps,
  request: IdempotentRequest,
  record: IdempotencyRecord,
): Promise<Outcome> {
  if (!hashOf(request.content).equals(record.requestHash)) return fail({ code: 'idempotency.key_reused' });
  const opened = await deps.responses.open(record.responseSealed, contextOf(request));
  invariant(opened.ok, 'the answer kept for an idempotency key cannot be opened');
  const { headers, body }: Omit<RecordedResponse, 'status'> = JSON.parse(opened.value.toString('utf8'));
  return ok({ status: record.responseStatus, headers, body, isReplayed: true });
}

/** A box moved to another caller's or another key's row does not open. */
function contextOf(request: IdempotentRequest): string {
  return `${request.organizationId} ${callerOf(request)} ${request.key}`;
}

function callerOf({ caller }: IdempotentRequest): string {
  const { id, scopes, actedBy, allowedNetworks, expiresAt } = caller;
  if ([scopes, actedBy, allowedNetworks, expiresAt].every((bound) => bound === undefined)) return id;
  const reach = {
    scopes: scopes ?? null,
    actedBy: actedBy ?? null,
    ...(allowedNetworks === undefined ? {} : { allowedNetworks }),
    ...(expiresAt === undefined ? {} : { expiresAt: expiresAt.toISOString() }),
  };
  return `${id} ${hashOf(canonicalJson(reach)).toString('base64url')}`;
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
