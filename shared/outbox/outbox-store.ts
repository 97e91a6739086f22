import type { SystemTransaction } from '../db/index.ts';

/** One event on its way to one topic; `payload` is the exact text of the leaf. */
export type OutboxEntry = {
  readonly sequence: number;
  readonly organizationId: string;
  readonly topic: string;
  readonly payload: string;
};

/** `bytes` counts payloads; one entry is given whatever its size. */
export type OutboxLimits = { readonly entries: number; readonly bytes: number };

export type OutboxPage = {
  readonly entries: readonly OutboxEntry[];
  /** The limits, not the outbox, ended it. */
  readonly isCut: boolean;
};

/**
 * The outbox of all organizations. `lead` makes this transaction the only relay until it ends, and is false, at once,
 * while another one leads. `listOldest` gives committed entries in sequence order: what one transaction could see of
 * another comes before it. Transactions that ran side by side have no order but the one they are listed in.
 */
export type OutboxStore = {
  lead(tx: SystemTransaction): Promise<boolean>;
  listOldest(tx: SystemTransaction, limits: OutboxLimits): Promise<OutboxPage>;
  remove(tx: SystemTransaction, entries: readonly OutboxEntry[]): Promise<void>;
};
