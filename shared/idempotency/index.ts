/**
 * The same request with the same key has one effect and one answer, however often and however concurrently it arrives.
 *
 * Invariants: the effect and its recorded answer commit together; an answer is sealed at rest and kept for a day; a key
 * belongs to one caller and the reach of its credential; whoever waits for the first holds
 * no connection meanwhile.
 *
 * @example
 * const answer = await runOnce(deps, { organizationId, caller, key, content }, (pool) => createThing({ ...deps, pool }));
 */
export type { IdempotencyRecord, IdempotencyRecordStore } from './idempotency-record-store.ts';
export { type PruneIdempotencyRecordsDeps, pruneIdempotencyRecords } from './prune-idempotency-records.ts';
export {
  type IdempotencyDeps,
  type IdempotentCaller,
  type IdempotentRequest,
  type RecordedResponse,
  type RunOnceFailure,
  retentionSeconds,
  runOnce,
} from './run-once.ts';
