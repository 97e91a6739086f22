import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Labels } from './labels.ts';
import type { ServiceAccount, ServiceAccountState } from './service-account.ts';
import type { ServiceAccountId } from './service-account-id.ts';

/**
 * Service accounts of the transaction's organization. `add` makes the account findable by its id before the
 * organization is known, and is false when the name is taken. `lock` finds an account and keeps others from changing
 * it, or from issuing a key of it, until the transaction ends. A deleted account is found by its id, and neither by
 * its name nor in a list that does not ask for it.
 */
export type ServiceAccountStore = {
  add(tx: OrgTransaction, account: ServiceAccount): Promise<boolean>;
  find(tx: OrgTransaction, id: ServiceAccountId): Promise<ServiceAccount | undefined>;
  findByName(tx: OrgTransaction, name: string): Promise<ServiceAccount | undefined>;
  lock(tx: OrgTransaction, id: ServiceAccountId): Promise<ServiceAccount | undefined>;
  /** Writes all that can change of an account: that it is deleted, too. */
  update(tx: OrgTransaction, account: ServiceAccount): Promise<void>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(tx: OrgTransaction, page: ServiceAccountPage): Promise<ServiceAccount[]>;
  /** Takes away every role and team membership of the account itself, and says which there were. */
  removeGrants(tx: OrgTransaction, id: ServiceAccountId): Promise<RemovedGrants>;
  hasTeam(tx: OrgTransaction, id: string): Promise<boolean>;
  /** The organization that owns an account, asked outside any organization: an OAuth client knows only its own id. */
  locate(id: ServiceAccountId): Promise<OrganizationId | undefined>;
};

export type ServiceAccountPage = {
  readonly limit: number;
  readonly before?: ServiceAccountId;
  /** Every one of them. */
  readonly labels?: Labels;
  /** As of `at`. */
  readonly state?: { readonly is: ServiceAccountState; readonly at: Date };
  readonly ownerTeamId?: string;
};

type RemovedMembership = { readonly id: string; readonly name: string };

export type RemovedGrants = {
  readonly bindings: readonly {
    readonly id: string;
    readonly name: string;
    readonly role: string;
    readonly scopeType: 'organization' | 'team' | 'resource';
    readonly scopeId: string;
    readonly effect: 'allow' | 'deny';
  }[];
  readonly teams: readonly RemovedMembership[];
  readonly groups: readonly RemovedMembership[];
};
