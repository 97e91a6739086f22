import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyId } from './api-key-id.ts';

/** Everything that verification needs of a key and its owners, read at once. */
export type ApiKeyForVerification = { readonly key: ApiKey; readonly isOwnerActive: boolean };

/**
 * Keys of the transaction's organization. `add` makes the key findable by its id before the organization is known.
 * `revoke` changes an active key once and is undefined for a key that is unknown or already revoked; who revoked
 * first stays recorded.
 */
export type ApiKeyStore = {
  isOwnerActive(tx: OrgTransaction, serviceAccountId: ServiceAccountId): Promise<boolean>;
  add(tx: OrgTransaction, key: ApiKey): Promise<void>;
  find(tx: OrgTransaction, id: ApiKeyId): Promise<ApiKey | undefined>;
  findForVerification(tx: OrgTransaction, id: ApiKeyId): Promise<ApiKeyForVerification | undefined>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(
    tx: OrgTransaction,
    page: { limit: number; before?: ApiKeyId; owner?: ServiceAccountId },
  ): Promise<ApiKey[]>;
  revoke(tx: OrgTransaction, input: { id: ApiKeyId; by: string; at: Date }): Promise<ApiKey | undefined>;
  /** The organization that owns a key, asked outside any organization. */
  locate(id: ApiKeyId): Promise<OrganizationId | undefined>;
};
