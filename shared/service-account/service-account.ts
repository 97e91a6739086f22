import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from './service-account-id.ts';

export type ServiceAccount = {
  readonly organizationId: OrganizationId;
  readonly id: ServiceAccountId;
  /** Unique in its organization. */
  readonly name: string;
  readonly displayName: string;
  readonly ownerTeamId: string | undefined;
  /** Disabled: none of its keys and tokens works, and all of them stay recorded. */
  readonly status: 'active' | 'disabled';
  readonly managedBy: 'git' | 'api' | 'platform';
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export const serviceAccountNamePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
