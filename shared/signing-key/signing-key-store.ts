import type { Lease, OrgTransaction, SystemTransaction } from '../db/index.ts';
import type { SigningAlgorithm } from './jwk.ts';
import type { SigningKey } from './signing-key.ts';

export type RevokedSigningKey = {
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  readonly revokedAt: Date;
};

export type RotationRequest = {
  readonly requestId: string;
  readonly requestedBy: string;
  readonly requestedAt: Date;
};

/**
 * Signing keys belong to the platform, not to a tenant: any transaction reaches them. A key is listed until
 * `retire` or `revoke` has erased its private part; its public part and instants stay as a record. Every change of a key
 * notifies `signingKeyChannel` when it commits.
 */
export type SigningKeyStore = {
  list(tx: OrgTransaction | SystemTransaction): Promise<SigningKey[]>;
  findSealedPrivateJwk(
    tx: OrgTransaction | SystemTransaction,
    keyId: string,
  ): Promise<Uint8Array | undefined>;
  /** The database's clock, which decides what is due: one clock, whichever machine asks. */
  now(tx: OrgTransaction): Promise<Date>;
  /** Until the transaction ends nobody else changes keys; reading them goes on. To be taken before `list`. */
  lock(tx: OrgTransaction): Promise<void>;
  add(tx: OrgTransaction, key: SigningKey, privateJwkSealed: Uint8Array): Promise<void>;
  /** Says until when the key verifies; undefined: until there is a successor. */
  supersede(tx: OrgTransaction, input: { keyId: string; verifyUntil: Date | undefined }): Promise<void>;
  /** Moves a key's first use. */
  reschedule(
    tx: OrgTransaction,
    input: Pick<SigningKey, 'keyId' | 'publishedAt' | 'activeFrom'>,
  ): Promise<void>;
  /** False when it was retired before. */
  retire(tx: OrgTransaction, keyId: string): Promise<boolean>;
  revoke(tx: OrgTransaction, input: RevokedSigningKey & { revokedBy: string }): Promise<void>;
  findRevoked(tx: OrgTransaction, keyId: string): Promise<RevokedSigningKey | undefined>;
  /**
   * True while the lease is still this holder's, and then until the transaction ends: nobody can take it over in
   * between. So a holder that was suspended past its lease changes nothing.
   */
  confirmLease(tx: OrgTransaction, lease: Lease): Promise<boolean>;
  addRequest(tx: OrgTransaction, request: RotationRequest): Promise<void>;
  /** When the newest request that is still open was made. */
  findOpenRequestTime(tx: OrgTransaction): Promise<Date | undefined>;
  /** Closes the open requests that were made until then. */
  closeRequests(tx: OrgTransaction, input: { madeUntil: Date; at: Date }): Promise<void>;
};

export const signingKeyChannel = 'signing_key_changed';
