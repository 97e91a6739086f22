import type { SystemTransaction } from '../db/index.ts';

/**
 * One stored thing of the OAuth provider: a code, refresh token, grant, session. Its id is often the bearer secret
 * itself, so only keyed hashes of ids come here, and the payload, which repeats the id, comes sealed.
 */
export type OidcRecord = {
  readonly model: string;
  readonly idHash: Uint8Array;
  readonly payloadSealed: Uint8Array;
  readonly grantIdHash: Uint8Array | undefined;
  readonly uidHash: Uint8Array | undefined;
  readonly userCodeHash: Uint8Array | undefined;
  readonly accountId: string | undefined;
  readonly expiresAt: Date | undefined;
};

export type StoredOidcRecord = OidcRecord & { readonly consumedAt: Date | undefined };

export type OidcRecordLookup = 'idHash' | 'uidHash' | 'userCodeHash';

/**
 * Records that expired at or before `at` do not exist for `find` and `consume`. `upsert` replaces everything but
 * `consumedAt`: what was consumed stays so. `consume` is true for exactly one caller, however many ask at once.
 */
export type OidcRecordStore = {
  upsert(tx: SystemTransaction, record: OidcRecord): Promise<void>;
  find(
    tx: SystemTransaction,
    input: { model: string; by: OidcRecordLookup; hash: Uint8Array; at: Date },
  ): Promise<StoredOidcRecord | undefined>;
  consume(tx: SystemTransaction, input: { model: string; idHash: Uint8Array; at: Date }): Promise<boolean>;
  remove(tx: SystemTransaction, input: { model: string; idHash: Uint8Array }): Promise<void>;
  removeByGrant(tx: SystemTransaction, input: { model: string; grantIdHash: Uint8Array }): Promise<void>;
  /** Deletes at most `limit` records that expired before then; returns how many. */
  removeExpired(tx: SystemTransaction, input: { before: Date; limit: number }): Promise<number>;
};
