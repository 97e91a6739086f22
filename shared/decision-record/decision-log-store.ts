import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { DecisionLog } from './decision-log.ts';

/**
 * The log's settings of the transaction's organization. `find` is undefined for an organization that is not there;
 * `save` makes every warm instance forget what it knew.
 */
export type DecisionLogStore = {
  find(tx: OrgTransaction): Promise<DecisionLog | undefined>;
  /** The same, and no one else changes it until the transaction ends. */
  lock(tx: OrgTransaction): Promise<DecisionLog | undefined>;
  save(tx: OrgTransaction, log: DecisionLog, at: Date): Promise<void>;
};

/** The settings of those of many organizations that are there, for the platform itself. */
export type DecisionLogReader = {
  findAll(organizations: readonly OrganizationId[]): Promise<ReadonlyMap<string, DecisionLog>>;
};
