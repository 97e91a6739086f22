import { createHash } from 'node:crypto';
import type { DatabasePool } from '../db/index.ts';
import { withOrg } from '../db/index.ts';
import { type Clock, fail, invariant, ok, type Result, secondsAfter } from '../kernel/index.ts';
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

export type IdempotentRequest = {
  /** The caller's own organization. Keys of different callers have nothing to do with each other. */
  readonly organizationId: OrganizationId;
  readonly callerId: string;
  readonly key: string;
  /** All that makes the request what it is: the same text is the same request. */
  readonly content: string;
};

export type RecordedResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

export type RunOnceFailure = { readonly code: 'idempotency.key_reused' };

/**
 * Answers a request once per key (draft-ietf-httpapi-idempotency-key-header): whoever repeats it gets the first answer,
 * also while the first is still under way, also when the process died after it. `work` makes its change through the
 * pool it is given, so that change and answer commit together. Only successes are kept: a refusal changed nothing, and
 * the same request may succeed later.
 */
export async function runOnce(
  deps: IdempotencyDeps,
  request: IdempotentRequest,
  work: (pool: DatabasePool) => Promise<RecordedResponse>,
): Promise<Result<RecordedResponse & { readonly isReplayed: boolean }, RunOnceFailure>> {
  const key = `${request.callerId} ${request.key}`;
  const requestHash = createHash('sha256').update(request.content).digest();
  return withJoinedTransaction(deps.pool, request.organizationId, async (tx, joined) => {
    await deps.store.lock(tx, key);
    const now = deps.clock.now();
    const expiredBefore = secondsAfter(now, -retentionSeconds);
    const record = await deps.store.find(tx, key);
    if (record !== undefined && record.createdAt >= expiredBefore) {
      if (!requestHash.equals(record.requestHash)) return fail({ code: 'idempotency.key_reused' });
      return ok({ ...(await unseal(deps, request, record)), isReplayed: true });
    }
    const response = await work(joined);
    if (response.status < 300) {
      const responseSealed = await seal(deps, request, response);
      const added = { key, requestHash, responseStatus: response.status, responseSealed, createdAt: now };
      await withOrg(joined, request.organizationId, (own) =>
        deps.store.add(own, request.organizationId, added, expiredBefore),
      );
    }
    return ok({ ...response, isReplayed: false });
  });
}

function seal(
  deps: IdempotencyDeps,
  request: IdempotentRequest,
  response: RecordedResponse,
): Promise<Buffer> {
  const { headers, body } = response;
  return deps.responses.seal(JSON.stringify({ headers, body }), contextOf(request));
}

async function unseal(
  deps: IdempotencyDeps,
  request: IdempotentRequest,
  record: IdempotencyRecord,
): Promise<RecordedResponse> {
  const opened = await deps.responses.open(record.responseSealed, contextOf(request));
  invariant(opened.ok, 'the answer kept for an idempotency key cannot be opened');
  const { headers, body }: Omit<RecordedResponse, 'status'> = JSON.parse(opened.value.toString('utf8'));
  return { status: record.responseStatus, headers, body };
}

/** A box moved to another caller's or another key's row does not open. */
function contextOf(request: IdempotentRequest): string {
  return `${request.organizationId} ${request.callerId} ${request.key}`;
}
