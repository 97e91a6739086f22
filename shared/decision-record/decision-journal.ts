import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionSegmentId } from './decision-buffer.ts';

/** Lines of one flush and one organization, on their way into a segment. */
export type JournalPart = {
  readonly organizationId: OrganizationId;
  readonly segmentId: DecisionSegmentId;
  /** From 0, without a gap. */
  readonly part: number;
  readonly records: number;
  readonly from: Date;
  readonly to: Date;
  /** NDJSON. */
  readonly lines: string;
};

export type JournaledSegment = Pick<JournalPart, 'organizationId' | 'segmentId'>;

/**
 * Where records are durable from the flush until their segment stands. `write` is one commit for parts of any number
 * of organizations; a part that is there already is left as it is, so that a flush can be repeated. Whoever removes
 * the parts makes the segment: `remove` tells how many there were, and that many make one transaction the only one.
 */
export type DecisionJournal = {
  write(parts: readonly JournalPart[]): Promise<void>;
  list(tx: OrgTransaction, segmentId: DecisionSegmentId): Promise<readonly JournalPart[]>;
  remove(tx: OrgTransaction, segmentId: DecisionSegmentId): Promise<number>;
  /** Parts with records of that time, newest first. */
  listOfWindow(
    tx: OrgTransaction,
    window: { readonly from: Date; readonly to: Date; readonly limit: number },
  ): Promise<readonly JournalPart[]>;
  /** Of all organizations, for the platform's own scope: what has waited for longer than an instance would let it. */
  listLeftBehind(
    tx: OrgTransaction,
    page: { readonly olderThanSeconds: number; readonly limit: number },
  ): Promise<readonly JournaledSegment[]>;
};
