import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccount } from './service-account.ts';
import type { ServiceAccountId } from './service-account-id.ts';

/**
 * Service accounts of the transaction's organization. `add` makes the account findable by its id before the
 * organization is known, and is false when the name is taken. `setStatus` is undefined when the account is unknown or
 * has that status already.
 */
export type ServiceAccountStore = {
  add(tx: OrgTransaction, account: ServiceAccount): Promise<boolean>;
  find(tx: OrgTransaction, id: ServiceAccountId): Promise<ServiceAccount | undefined>;
  findByName(tx: OrgTransaction, name: string): Promise<ServiceAccount | undefined>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(tx: OrgTransaction, page: { limit: number; before?: ServiceAccountId }): Promise<ServiceAccount[]>;
  setStatus(
    tx: OrgTransaction,
    input: { id: ServiceAccountId; status: ServiceAccount['status']; at: Date },
  ): Promise<ServiceAccount | undefined>;
  /** The organization that owns an account, asked outside any organization: an OAuth client knows only its own id. */
  locate(id: ServiceAccountId): Promise<OrganizationId | undefined>;
};
