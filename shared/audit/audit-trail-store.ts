import type { OrgTransaction } from '../db/index.ts';

export type TrailEvent = {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly occurredAt: Date;
  /** The event whole, as canonical JSON: the entry of the log, byte for byte. */
  readonly leaf: string;
};

export type TrailPage = {
  readonly limit: number;
  /** Id of an event: only older ones. */
  readonly before?: string;
  /** Id of the thing that changed. */
  readonly subject?: string;
};

/** Events of the transaction's organization as they were recorded, newest first; there before they are in the log. */
export type AuditTrailStore = {
  list(tx: OrgTransaction, page: TrailPage): Promise<readonly TrailEvent[]>;
};
