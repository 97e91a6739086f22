import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyId } from './api-key-id.ts';
import type { ApiKeyOwner } from './api-key-owner.ts';
import type { MacOfSecret, SealedSecret } from './api-key-secret.ts';

/** Everything that verification needs of a key, its secrets and its owners, read at once. */
export type ApiKeyForVerification = Pick<
  ApiKey,
  'organizationId' | 'id' | 'owner' | 'status' | 'scopes' | 'allowedNetworks' | 'expiresAt'
> & {
  /** The account or person, and the organization. */
  readonly isOwnerActive: boolean;
  /** Sealed. Absent in a row from before there were seals, which has a `mac` in its place. */
  readonly secret: Uint8Array | undefined;
  readonly previousSecret: { readonly box: Uint8Array; readonly until: Date } | undefined;
  readonly mac: MacOfSecret | undefined;
};

export type ApiKeyPage = {
  readonly limit: number;
  readonly before?: ApiKeyId;
  readonly owner?: ApiKeyOwner;
};

/**
 * Keys of the transaction's organization. `add` makes the key findable by its id before the organization is known.
 * `revoke` changes a key once and is undefined for one that is unknown or already revoked; who revoked first stays
 * recorded.
 */
export type ApiKeyStore = {
  /** Holds the owner as it is until the transaction ends. */
  isOwnerActive(tx: OrgTransaction, owner: ApiKeyOwner): Promise<boolean>;
  add(tx: OrgTransaction, key: ApiKey, secret: SealedSecret): Promise<void>;
  find(tx: OrgTransaction, id: ApiKeyId): Promise<ApiKey | undefined>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(tx: OrgTransaction, page: ApiKeyPage): Promise<ApiKey[]>;
  revoke(tx: OrgTransaction, input: { id: ApiKeyId; by: string; at: Date }): Promise<ApiKey | undefined>;
  /** Gives a row that has only a `mac` its seal; one that has a seal keeps it. */
  keepSealed(tx: OrgTransaction, id: ApiKeyId, secret: SealedSecret): Promise<void>;
  /** Asked outside any organization, in one round trip. */
  findForVerification(id: ApiKeyId): Promise<ApiKeyForVerification | undefined>;
  /** The organization that owns a key, asked outside any organization. */
  locate(id: ApiKeyId): Promise<OrganizationId | undefined>;
};
