import type { OrgTransaction } from '../db/index.ts';
import type { Change, OrganizationState } from '../declarative/index.ts';
import type { OrganizationId } from '../organization/index.ts';

/** The state by names, and the id behind each entity key (`user/ada`). A team's member has no id of its own. */
export type Directory = { readonly state: OrganizationState; readonly ids: ReadonlyMap<string, string> };

export type RevokedKey = { readonly id: string; readonly lastFour: string };

/**
 * The rows that Git declares, of the transaction's organization.
 * `lock` waits for every other transaction that records an event in this organization, and holds new ones until this
 * one ends: what is loaded afterwards is what is changed.
 * `write` makes exactly one change, with the ids given, and throws when there is not exactly one thing to change. A
 * service account is removed for ever, and its row stays.
 * `revokeKeys` ends every key of a service account or a person that is about to be removed.
 */
export type DirectoryStore = {
  lock(tx: OrgTransaction, organizationId: OrganizationId): Promise<void>;
  load(tx: OrgTransaction, input: { organizationId: OrganizationId; name: string }): Promise<Directory>;
  write(tx: OrgTransaction, input: DirectoryWrite): Promise<void>;
  revokeKeys(
    tx: OrgTransaction,
    input: { owner: { type: 'service_account' | 'user'; id: string }; by: string; at: Date },
  ): Promise<RevokedKey[]>;
};

export type DirectoryWrite = {
  readonly organizationId: OrganizationId;
  readonly change: Change;
  readonly ids: ReadonlyMap<string, string>;
  readonly at: Date;
  /** Id of whoever makes the change. */
  readonly by: string;
};
