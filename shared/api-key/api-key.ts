import type { OrganizationId } from '../organization/index.ts';
import type { ApiKeyId } from './api-key-id.ts';
import type { ApiKeyOwner } from './api-key-owner.ts';
import type { ApiKeyEnvironment } from './api-key-text.ts';

/** A key as it may be shown at any time. Its secrets are not in here: nothing that lists keys reads them. */
export type ApiKey = {
  readonly organizationId: OrganizationId;
  readonly id: ApiKeyId;
  readonly owner: ApiKeyOwner;
  /** Of the newest secret. */
  readonly lastFour: string;
  /** Stands in the text, of every secret it will have. Unknown of keys from before this was kept. */
  readonly environment: ApiKeyEnvironment | undefined;
  readonly description: string;
  /** Why it was made. */
  readonly reason: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Permission patterns that narrow the owner's rights; absent: not narrowed. */
  readonly scopes: readonly string[] | undefined;
  /** CIDR; absent: from anywhere. */
  readonly allowedNetworks: readonly string[] | undefined;
  readonly status: 'active' | 'disabled' | 'revoked';
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly expiresAt: Date | undefined;
  readonly lastUsedAt: Date | undefined;
  /** Until when the secret before the newest works too; absent when there is none, or may lie in the past. */
  readonly previousSecretUntil: Date | undefined;
  readonly disabledAt: Date | undefined;
  readonly disabledBy: string | undefined;
  readonly revokedAt: Date | undefined;
  readonly revokedBy: string | undefined;
};

/** Revoked is for ever: a key never becomes active again. Disabled is not. */
export function isUsable(key: Pick<ApiKey, 'status' | 'expiresAt'>, now: Date): boolean {
  return key.status === 'active' && (key.expiresAt === undefined || now < key.expiresAt);
}
