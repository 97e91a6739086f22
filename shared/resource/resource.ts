import { z } from 'zod';
import type { OrganizationId } from '../organization/index.ts';

/** One thing that decisions are about, with what is true of it whatever a request says. */
export type Resource = {
  readonly organizationId: OrganizationId;
  /** Name of a registered type. */
  readonly type: string;
  /** As its own service names it; unique in its type. */
  readonly resourceId: string;
  readonly team: string | undefined;
  /** Id of a member or of a service account. */
  readonly owner: string | undefined;
  readonly attributes: ResourceAttributes;
  readonly managedBy: 'git' | 'api';
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

export const resourceIdSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(1024, 'must be at most 1024 characters')
  .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must hold no control characters');

const scalar = z.union([z.string().max(1024), z.number(), z.boolean()]);
/** Facts of their own, or of whoever asks: as attributes they would be taken for those. */
const reservedAttributes: ReadonlySet<string> = new Set(['organization', 'owner', 'team']);
const attributesMax = 64;

export const resourceAttributesSchema = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/, 'must be a name of letters, digits, "_", "." and "-"')
      .refine((name) => !reservedAttributes.has(name), 'is not an attribute but a field of its own'),
    z.union([scalar, z.array(scalar).max(64)], 'must be text, a number, a boolean or a list of these'),
  )
  .refine(
    (attributes) => Object.keys(attributes).length <= attributesMax,
    `holds more than ${attributesMax}`,
  );

export type ResourceAttributes = Readonly<z.output<typeof resourceAttributesSchema>>;
