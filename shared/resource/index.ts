/**
 * What decisions are about: the types of things that an organization's services keep, and single things with their
 * team, owner and attributes.
 *
 * Invariants: what is registered counts over what a request says; no type of the platform can be registered; a
 * resource is of a registered type; state and audit event share one transaction.
 *
 * @example
 * await registerResourceType(deps, { organizationId, name: 'document', description: '', actions: ['read'], actor });
 * await registerResource(deps, { organizationId, type: 'document', resourceId: '42', owner, attributes: {}, actor });
 */
export { listResources } from './list-resources.ts';
export { type RegisterResourceInput, registerResource } from './register-resource.ts';
export {
  listResourceTypes,
  type RegisterResourceTypeInput,
  registerResourceType,
} from './register-resource-type.ts';
export { type RemoveResourceInput, removeResource } from './remove-resource.ts';
export {
  type Resource,
  type ResourceAttributes,
  resourceAttributesSchema,
  resourceIdSchema,
} from './resource.ts';
export type { ResourceDeps } from './resource-deps.ts';
export type { ResourceFailure, ResourceTypeFailure } from './resource-failure.ts';
export type { ResourceKey, ResourcePage, ResourceStore } from './resource-store.ts';
export { type ResourceType, resourceTypeNamePattern } from './resource-type.ts';
export { type ResourceChange, type UpdateResourceInput, updateResource } from './update-resource.ts';
