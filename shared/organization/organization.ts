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

/** A DNS label (RFC 1123): it fits a URL, a folder and a host name, and never looks like an id, which has an underscore. */
export const organizationNamePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
