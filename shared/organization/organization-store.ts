import type { OrgTransaction } from '../db/index.ts';
import type { Organization } from './organization.ts';
import type { OrganizationId } from './organization-id.ts';

/**
 * Organizations as the transaction's scope may see them: a tenant its own, the platform's scope every one. `add` needs
 * the new organization's own scope and is false when the name is taken, whoever has it.
 */
export type OrganizationStore = {
  add(tx: OrgTransaction, organization: Organization): Promise<boolean>;
  /** By id or by name: no name has the form of an id. */
  find(tx: OrgTransaction, reference: string): Promise<Organization | undefined>;
  /** Newest first, at most `limit`, older than `before` when given. */
  list(tx: OrgTransaction, page: { limit: number; before?: OrganizationId }): Promise<Organization[]>;
};
