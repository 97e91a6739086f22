import type { OrganizationId } from '../organization/index.ts';
import type { Labels } from './labels.ts';
import type { ServiceAccountId } from './service-account-id.ts';

export type ServiceAccount = {
  readonly organizationId: OrganizationId;
  readonly id: ServiceAccountId;
  /** Unique in its organization among the accounts that are not deleted. */
  readonly name: string;
  readonly displayName: string;
  /** The team it belongs to; without one, the organization. Never a person, who may leave. */
  readonly ownerTeamId: string | undefined;
  /** Disabled and deleted: none of its keys and tokens works, and all of them stay recorded. Deleted is for ever. */
  readonly status: 'active' | 'disabled' | 'deleted';
  readonly labels: Labels;
  /** From then on it is refused like a disabled one. */
  readonly expiresAt: Date | undefined;
  /** Id of whoever created it; unknown of accounts from before this was kept. */
  readonly createdBy: string | undefined;
  /** What it was created for, in the creator's words. */
  readonly reason: string | undefined;
  readonly managedBy: 'git' | 'api' | 'platform';
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly deletedAt: Date | undefined;
};

export type ServiceAccountState = ServiceAccount['status'] | 'expired';

export const serviceAccountStates = ['active', 'disabled', 'expired', 'deleted'] as const;

/** What its status comes to now: an active account past its expiry has expired. */
export function stateOf(
  account: Pick<ServiceAccount, 'status' | 'expiresAt'>,
  now: Date,
): ServiceAccountState {
  const isPast = account.expiresAt !== undefined && account.expiresAt <= now;
  return account.status === 'active' && isPast ? 'expired' : account.status;
}

/** Nothing it belonged to or held is left, so that the team may go and its name be given again. */
export function toDeleted(account: ServiceAccount, at: Date): ServiceAccount {
  return { ...account, status: 'deleted', ownerTeamId: undefined, updatedAt: at, deletedAt: at };
}
