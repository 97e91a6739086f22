import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { ApiKeyId } from './api-key-id.ts';

export type ApiKey = {
  readonly organizationId: OrganizationId;
  readonly id: ApiKeyId;
  readonly serviceAccountId: ServiceAccountId;
  /** HMAC-SHA256 of the key's text under the pepper of `pepperVersion`. */
  readonly secretMac: Uint8Array;
  readonly pepperVersion: number;
  readonly lastFour: string;
  readonly description: string;
  readonly status: 'active' | 'revoked';
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly expiresAt: Date | undefined;
  readonly revokedAt: Date | undefined;
  readonly revokedBy: string | undefined;
};

/** Revoked is for ever: a key never becomes active again. */
export function isUsable(key: Pick<ApiKey, 'status' | 'expiresAt'>, now: Date): boolean {
  return key.status === 'active' && (key.expiresAt === undefined || now < key.expiresAt);
}
