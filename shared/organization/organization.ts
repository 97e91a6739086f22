import type { OrganizationId } from './organization-id.ts';

export type Organization = {
  readonly id: OrganizationId;
  /** Unique in the deployment; what people write in Git and in URLs. */
  readonly name: string;
  readonly displayName: string;
  readonly status: 'active' | 'suspended';
  readonly managedBy: 'git' | 'api' | 'platform';
  readonly createdAt: Date;
  readonly updatedAt: Date;
};
