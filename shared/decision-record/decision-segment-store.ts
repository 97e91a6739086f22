import type { OrgTransaction } from '../db/index.ts';
import type { DecisionSegment } from './decision-segment.ts';
import type { DecisionKey } from './key-filter.ts';

/** What the organization's log says of a segment. */
export type SegmentEntry = {
  readonly eventId: string;
  /** The event's text: in the log, or on its way into it. */
  readonly leaf: string;
  /** Where the log has it; absent while the event is on its way. */
  readonly log?: { readonly day: string; readonly index: number };
};

export type StoredSegment = DecisionSegment & { readonly entry: SegmentEntry | undefined };

/** The index of the segments of the transaction's organization. It finds; what is believed is the log. */
export type DecisionSegmentStore = {
  add(tx: OrgTransaction, segment: DecisionSegment & { filter: Buffer; eventId: string }): Promise<void>;
  /** Segments with records of that time, newest first, that may hold a record of every key given. */
  listOfWindow(
    tx: OrgTransaction,
    window: {
      readonly from: Date;
      readonly to: Date;
      readonly keys: readonly DecisionKey[];
      readonly limit: number;
    },
  ): Promise<readonly StoredSegment[]>;
};
