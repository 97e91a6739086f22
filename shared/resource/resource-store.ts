import type { OrgTransaction } from '../db/index.ts';
import type { Resource } from './resource.ts';
import type { ResourceType } from './resource-type.ts';

export type ResourceKey = Pick<Resource, 'type' | 'resourceId'>;

/**
 * Resource types and resources of the transaction's organization. Either `add` is false when the name or id is taken.
 * `lock` finds a resource and keeps others from changing it until the transaction ends.
 */
export type ResourceStore = {
  addType(tx: OrgTransaction, type: ResourceType): Promise<boolean>;
  /** By name, all of them: there are at most `resourceTypesMax`. */
  listTypes(tx: OrgTransaction): Promise<ResourceType[]>;
  findType(tx: OrgTransaction, name: string): Promise<ResourceType | undefined>;
  add(tx: OrgTransaction, resource: Resource): Promise<boolean>;
  lock(tx: OrgTransaction, key: ResourceKey): Promise<Resource | undefined>;
  /** By id, at most `limit`, after `after` when given. */
  list(tx: OrgTransaction, page: ResourcePage): Promise<Resource[]>;
  update(tx: OrgTransaction, resource: Resource): Promise<void>;
  remove(tx: OrgTransaction, key: ResourceKey): Promise<void>;
  hasTeam(tx: OrgTransaction, id: string): Promise<boolean>;
  /** Whether a member or a service account has this id. */
  hasOwner(tx: OrgTransaction, id: string): Promise<boolean>;
};

export type ResourcePage = {
  readonly type: string;
  /** Only the one of this id. */
  readonly resourceId?: string | undefined;
  readonly limit: number;
  readonly after?: string | undefined;
};
