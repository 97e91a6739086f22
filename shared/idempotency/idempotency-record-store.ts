import type { OrgTransaction } from '../db/index.ts';

/** What was answered to a request, sealed: it may show a secret that is shown once. */
export type IdempotencyRecord = {
  readonly key: string;
  /** SHA-256 of all that makes the request what it is. */
  readonly requestHash: Uint8Array;
  readonly responseStatus: number;
  readonly responseSealed: Uint8Array;
  readonly createdAt: Date;
};

/**
 * Records of the transaction's organization. `tryLock` holds a key until the transaction ends, and is false at once when
 * another holds it. `add` replaces what is older than `expiredBefore`, and removes such records of other keys.
 * `prune` removes them of a page of organizations, from within the platform's own; fewer than `recordsMax`: all of them.
 */
export type IdempotencyRecordStore = {
  tryLock(tx: OrgTransaction, key: string): Promise<boolean>;
  find(tx: OrgTransaction, key: string): Promise<IdempotencyRecord | undefined>;
  add(tx: OrgTransaction, orgId: string, record: IdempotencyRecord, expiredBefore: Date): Promise<void>;
  prune(tx: OrgTransaction, page: PruningPage): Promise<PrunedPage>;
};

export type PruningPage = {
  readonly expiredBefore: Date;
  readonly after: string;
  readonly organizationsMax: number;
  readonly recordsMax: number;
};

/** `lookedUntil`: the last organization of the page; undefined when there was none. */
export type PrunedPage = { readonly removed: number; readonly lookedUntil: string | undefined };
