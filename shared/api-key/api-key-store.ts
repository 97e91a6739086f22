import type { OrgTransaction } from '../db/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { Labels } from '../service-account/index.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyId } from './api-key-id.ts';
import type { ApiKeyOwner, UserId } from './api-key-owner.ts';
import type { MacOfSecret, SealedSecret } from './api-key-secret.ts';
import type { OwnerFailure } from './owner-rights.ts';

/** Everything that verification needs of a key, its secrets and its owners, read at once. */
export type ApiKeyForVerification = Pick<
  ApiKey,
  'organizationId' | 'id' | 'owner' | 'status' | 'scopes' | 'allowedNetworks' | 'expiresAt'
> & {
  /** The account or person, and the organization. */
  readonly isOwnerActive: boolean;
  readonly ownerExpiresAt: Date | undefined;
  /** Sealed. Absent in a row from before there were seals, which has a `mac` in its place. */
  readonly secret: Uint8Array | undefined;
  readonly previousSecret: { readonly box: Uint8Array; readonly until: Date } | undefined;
  readonly mac: MacOfSecret | undefined;
};

/** All that are given must hold. */
export type ApiKeyFilter = {
  readonly owner?: ApiKeyOwner | undefined;
  readonly labels?: Labels | undefined;
  readonly createdBefore?: Date | undefined;
};

export type ApiKeyPage = Pick<ApiKeyFilter, 'owner' | 'labels'> & {
  readonly limit: number;
  readonly before?: ApiKeyId | undefined;
  readonly id?: ApiKeyId | undefined;
};

/** A key that nobody else changes until the transaction ends. */
export type LockedApiKey = {
  readonly key: ApiKey;
  /** Whether its newest secret is sealed, hence can stand beside another. */
  readonly isSealed: boolean;
};

type Change = { readonly by: string; readonly at: Date };

export type Rotation = {
  readonly id: ApiKeyId;
  readonly secret: SealedSecret;
  readonly lastFour: string;
  /** Absent: the secrets before end now. */
  readonly previousUntil: Date | undefined;
};

/**
 * Keys of the transaction's organization. `add` makes the key findable by its id before the organization is known.
 * `revoke` and `setStatus` change a key once and are undefined for one that is unknown or not in a state to be
 * changed so; who revoked first stays recorded.
 */
export type ApiKeyStore = {
  /** Why the owner gets no key. Holds the owner as it is until the transaction ends. */
  findOwnerFault(
    tx: OrgTransaction,
    owner: ApiKeyOwner,
    now: Date,
  ): Promise<OwnerFailure['code'] | undefined>;
  add(tx: OrgTransaction, key: ApiKey, secret: SealedSecret): Promise<void>;
  find(tx: OrgTransaction, id: ApiKeyId): Promise<ApiKey | undefined>;
  lock(tx: OrgTransaction, id: ApiKeyId): Promise<LockedApiKey | undefined>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(tx: OrgTransaction, page: ApiKeyPage): Promise<ApiKey[]>;
  setStatus(
    tx: OrgTransaction,
    input: { id: ApiKeyId; status: 'active' | 'disabled' } & Change,
  ): Promise<ApiKey | undefined>;
  /** Of a key that is locked. The newest secret becomes the previous one, and that one is gone. */
  rotate(tx: OrgTransaction, rotation: Rotation): Promise<ApiKey>;
  revoke(tx: OrgTransaction, input: { id: ApiKeyId } & Change): Promise<ApiKey | undefined>;
  /** The oldest first. */
  revokeMany(tx: OrgTransaction, input: { filter: ApiKeyFilter; limit: number } & Change): Promise<ApiKey[]>;
  /** Takes the texts and the networks from all keys of a person, which are revoked: both may tell of him. */
  redact(tx: OrgTransaction, owner: UserId): Promise<void>;
  hasUnrevoked(tx: OrgTransaction, filter: ApiKeyFilter): Promise<boolean>;
  /** Gives a row that has only a `mac` its seal; one that has a seal keeps it. */
  keepSealed(tx: OrgTransaction, id: ApiKeyId, secret: SealedSecret): Promise<void>;
  /** Asked outside any organization, in one round trip. */
  findForVerification(id: ApiKeyId): Promise<ApiKeyForVerification | undefined>;
  /** The organization that owns a key, asked outside any organization. */
  locate(id: ApiKeyId): Promise<OrganizationId | undefined>;
};
