import type { OrgTransaction, SystemTransaction } from '../db/index.ts';

/**
 * Which foreign tokens were exchanged. Only digests come here, which name their organization. `add` is true for
 * exactly one caller, however many ask at once; the others wait for its transaction, and one is next when it fails.
 */
export type TokenUseStore = {
  add(tx: OrgTransaction, use: { digest: Uint8Array; until: Date }): Promise<boolean>;
  /** The database's clock: one for all that prune. */
  now(tx: SystemTransaction): Promise<Date>;
  /** Deletes at most `limit` uses of tokens that nobody would take any more; returns how many. */
  removeExpired(tx: SystemTransaction, input: { before: Date; limit: number }): Promise<number>;
};
