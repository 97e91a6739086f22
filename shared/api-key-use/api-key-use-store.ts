import type { OrgTransaction } from '../db/index.ts';
import type { ApiKeyUse } from './api-key-use.ts';

/**
 * Moves the last use of an organization's keys forward, never back, in one statement: so events may come twice and in
 * any order. A key that is not there, or is another organization's, is passed over; an instant that the database has
 * not reached becomes its own. Changes nothing that a decision rests on, and so notifies nobody.
 */
export type ApiKeyUseStore = {
  record(tx: OrgTransaction, organizationId: string, uses: readonly ApiKeyUse[]): Promise<void>;
};
