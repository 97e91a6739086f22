import type { OrgTransaction } from '../db/index.ts';
import type { Condition, GitSourceId } from '../git-source/index.ts';
import type { OrganizationId } from '../organization/index.ts';

export type Claim = {
  readonly name: string;
  readonly organizationId: OrganizationId;
  /** The folder's tree that was applied last; undefined until the organization exists. */
  readonly appliedTreeOid: string | undefined;
};

export type SourceStatus = {
  /** Either commit, when absent, stays what it is. */
  readonly observedCommit?: string;
  readonly appliedCommit?: string;
  readonly conditions: readonly Condition[];
  readonly at: Date;
};

/** Who declares a name, and which organization it is. */
export type Claimed = { readonly sourceId: GitSourceId; readonly organizationId: OrganizationId };

/**
 * What reconciliation remembers of a source, in the platform's scope. A claim gives a name to one source for good:
 * `claim` answers the claim that stands, which is another's when that one was faster.
 */
export type SourceStatusStore = {
  saveStatus(tx: OrgTransaction, sourceId: GitSourceId, status: SourceStatus): Promise<void>;
  listClaims(tx: OrgTransaction, sourceId: GitSourceId): Promise<Claim[]>;
  findClaim(tx: OrgTransaction, name: string): Promise<Claimed | undefined>;
  claim(tx: OrgTransaction, input: Claimed & { readonly name: string }): Promise<Claimed>;
  /** The organization of a name, in any scope: to know whether somebody made it without us. */
  findOrganizationId(tx: OrgTransaction, name: string): Promise<OrganizationId | undefined>;
  setAppliedTree(
    tx: OrgTransaction,
    input: { sourceId: GitSourceId; name: string; treeOid: string },
  ): Promise<void>;
  /** False when the delivery was accepted before. */
  acceptDelivery(
    tx: OrgTransaction,
    input: { sourceId: GitSourceId; deliveryId: string; at: Date },
  ): Promise<boolean>;
  forgetDeliveries(tx: OrgTransaction, before: Date): Promise<void>;
};
