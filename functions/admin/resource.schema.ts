import { z } from 'zod';
import { typeId } from '../../shared/kernel/index.ts';
import {
  type Resource,
  type ResourceType,
  resourceAttributesSchema,
  resourceIdSchema,
  resourceTypeNamePattern,
} from '../../shared/resource/index.ts';
import { serviceAccountId } from '../../shared/service-account/index.ts';
import { directoryIds } from './directory.schema.ts';
import { idField, instantField, lineField, managedByField } from './field.schema.ts';

/** Fields of resource types and of resources, in requests and in answers. */
export const resourceTypeField = z
  .string()
  .regex(resourceTypeNamePattern, 'must be a segment of a permission: a-z, then a-z, 0-9, "_", "." or "-"')
  .describe('Name of a resource type');

export const resourceIdField = resourceIdSchema.describe('As the service that keeps it names the resource');

export const actionsField = z
  .array(resourceTypeField.describe('Name of an action'))
  .min(1)
  .max(100)
  .refine((names) => new Set(names).size === names.length, 'names an action twice');

export const descriptionField = lineField(512);

export const teamField = idField(directoryIds.team, 'Id of the team it belongs to');

export const ownerField = z
  .union([idField(typeId('usr'), 'A member'), idField(serviceAccountId, 'A service account')])
  .describe('Id of the member or service account it belongs to');

export const attributesField = resourceAttributesSchema.describe(
  'What decisions may rest on, over what a request says of the same',
);

const declared = {
  managedBy: managedByField.exclude(['platform']),
  createdAt: instantField,
  updatedAt: instantField,
};

export const resourceTypeView = z.strictObject({
  name: z.string(),
  description: z.string(),
  actions: z.array(z.string()),
  ...declared,
});

export const resourceView = z.strictObject({
  type: z.string(),
  resourceId: z.string(),
  team: z.string().optional(),
  owner: z.string().optional(),
  attributes: z.record(z.string(), z.unknown()),
  ...declared,
});

export function toResourceTypeView(type: ResourceType): z.input<typeof resourceTypeView> {
  const { name, description, actions } = type;
  return { name, description, actions: [...actions], ...toDeclared(type) };
}

export function toResourceView(resource: Resource): z.input<typeof resourceView> {
  const { type, resourceId, team, owner, attributes } = resource;
  return { type, resourceId, team, owner, attributes, ...toDeclared(resource) };
}

function toDeclared({ managedBy, createdAt, updatedAt }: Resource | ResourceType) {
  return { managedBy, createdAt: createdAt.toISOString(), updatedAt: updatedAt.toISOString() };
}
