import type { OrgTransaction } from '../db/index.ts';
import type { LiveSubjectKey, SubjectKey } from './subject-key.ts';

/**
 * Keys of the transaction's organization. Rows stay for ever; a key that was destroyed never has bytes again.
 * `list` reads every generation of the subjects, oldest first. `hold` does so too, and until the transaction ends
 * nobody destroys a key it gave: what is sealed meanwhile is sealed before the erasure, not after it.
 * `addMissing` leaves out whoever has a live key by now: read again to learn which.
 * `destroy` takes the live key of one subject; false when there is none. `addDestroyed` records an erasure where
 * nothing had been sealed yet.
 */
export type SubjectKeyStore = {
  list(tx: OrgTransaction, subjects: readonly string[]): Promise<SubjectKey[]>;
  hold(tx: OrgTransaction, subjects: readonly string[]): Promise<SubjectKey[]>;
  addMissing(tx: OrgTransaction, organizationId: string, keys: readonly LiveSubjectKey[]): Promise<void>;
  destroy(tx: OrgTransaction, input: { subject: string; by: string; at: Date }): Promise<boolean>;
  addDestroyed(
    tx: OrgTransaction,
    organizationId: string,
    input: { subject: string; by: string; at: Date },
  ): Promise<void>;
};
