import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';

/** Lines of one flush, one organization and one policy revision, on their way into a segment. */
export type JournalPart = {
  readonly organizationId: OrganizationId;
  /** With the place, its name. Instances before the sealer numbered the parts of a segment of their own. */
  readonly id: DecisionSegmentId;
  readonly place: number;
  readonly records: number;
  readonly from: Date;
  readonly to: Date;
  /** NDJSON. */
  readonly lines: string;
};

/** When an organization's parts become segments: the oldest has waited so long, or there are so many records. */
export type SealingDemand = {
  readonly olderThanSeconds: number;
  readonly recordsMin: number;
  readonly limit: number;
};

/** `bytesMax` is of their lines: whoever lists holds that much at a time. */
export type JournalPageBounds = { readonly limit: number; readonly bytesMax: number };

export type JournalPage = { readonly parts: readonly JournalPart[]; readonly hasMore: boolean };

/**
 * Where records are durable from the flush until their segment stands. `write` is one commit for parts of any number
 * of organizations; a part that is there already is left as it is, so that a flush can be repeated. Whoever removes
 * the parts makes the segment: `remove` tells how many of them were there, and all of them make one transaction the
 * only one.
 */
export type DecisionJournal = {
  write(parts: readonly JournalPart[]): Promise<void>;
  /** Of the transaction's organization, the oldest first; one at least, however large it is. */
  list(tx: OrgTransaction, page: JournalPageBounds): Promise<JournalPage>;
  remove(tx: OrgTransaction, parts: readonly Pick<JournalPart, 'id' | 'place'>[]): Promise<number>;
  /** Parts with records of that time, newest first. */
  listOfWindow(
    tx: OrgTransaction,
    window: { readonly from: Date; readonly to: Date; readonly limit: number },
  ): Promise<readonly JournalPart[]>;
  /** For the platform's own scope: organizations whose parts are due, the longest waiting first. */
  listDue(tx: OrgTransaction, demand: SealingDemand): Promise<readonly OrganizationId[]>;
};
