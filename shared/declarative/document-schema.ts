import { z } from 'zod';
import { bindingConditionsSchema } from '../authorization/index.ts';
import { labelsSchema } from '../service-account/index.ts';

/** The document format of one organization, the single source of its JSON Schema (`schema/v1`). */
export const apiVersion = 'directory.uos.dev/v1';

const dnsLabel = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const dnsLabelRule =
  'must be a DNS label: lower-case letters, digits and inner hyphens, at most 63 characters';
const nameSchema = z.string().regex(new RegExp(`^${dnsLabel}$`), dnsLabelRule);

export function isDnsLabel(text: string): boolean {
  return nameSchema.safeParse(text).success;
}

// Threat: bidirectional overrides make a reviewer read another name than the one applied (CVE-2021-42574).
const plainText = /^[^\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]*$/u;
const plainTextRule = 'must be one line of text without control or direction-changing characters';
const displayNameSchema = z
  .string()
  .min(1, 'must not be empty')
  .max(128, 'must be at most 128 characters')
  .regex(plainText, plainTextRule);

const principalRule = 'must be `user/<name>` or `service-account/<name>`';
const principalSchema = z.templateLiteral(
  [z.enum(['user', 'service-account']), '/', nameSchema],
  principalRule,
);
const subjectRule = 'must be `user/<name>`, `team/<name>`, `group/<name>` or `service-account/<name>`';
const subjectSchema = z.templateLiteral(
  [z.enum(['user', 'team', 'group', 'service-account']), '/', nameSchema],
  subjectRule,
);
// The type is always named: "everything" stays with the built-in owner, which asks for a second factor.
const permissionSchema = z
  .string()
  .max(128, 'must be at most 128 characters')
  .regex(
    /^[a-z][a-z0-9_.-]*:(?:\*|[a-z][a-z0-9_.-]*)$/,
    'must be `<type>:<action>` in lower case or `<type>:*`, as in `report:read`',
  );

const instantSchema = z.iso.datetime({
  offset: true,
  error: 'must be an RFC 3339 date-time, as in `2027-01-31T00:00:00Z`',
});

const membersSchema = z.array(principalSchema).max(10_000).default([]);

const guardsSchema = z.strictObject({
  maxRemovalPercent: z.int().min(0).max(100).default(25),
  removalsAlwaysAllowed: z.int().min(0).max(1000).default(5),
  minOwners: z.int().min(0).max(100).default(0),
});

const specSchemas = {
  Organization: z.strictObject({ displayName: displayNameSchema, guards: guardsSchema.prefault({}) }),
  Team: z.strictObject({
    displayName: displayNameSchema,
    parent: nameSchema.optional(),
    members: membersSchema,
  }),
  Group: z.strictObject({ displayName: displayNameSchema, members: membersSchema }),
  User: z.strictObject({
    email: z.email('must be an email address').max(254, 'must be at most 254 characters'),
    displayName: displayNameSchema,
  }),
  Role: z.strictObject({
    description: z.string().max(1024, 'must be at most 1024 characters').regex(plainText, plainTextRule),
    // As many of the longest as fit the one event that must record them all (60 KiB).
    permissions: z.array(permissionSchema).min(1, 'must name at least one permission').max(400),
  }),
  RoleBinding: z.strictObject({
    role: z.string().regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/, 'must be the name of a role'),
    subject: subjectSchema,
    scope: z.strictObject({ team: nameSchema }).optional(),
    effect: z.enum(['allow', 'deny']).default('allow'),
    expiresAt: instantSchema.optional(),
    // In the words of the policy's input, where they are judged.
    conditions: bindingConditionsSchema.default([]),
  }),
  ServiceAccount: z.strictObject({
    displayName: displayNameSchema,
    ownerTeam: nameSchema.optional(),
    labels: labelsSchema.default({}),
    /** From then on it is refused. */
    expiresAt: instantSchema.optional(),
  }),
} as const;

function toDocumentSchema<const Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) {
  return z.strictObject({
    apiVersion: z.literal(apiVersion),
    kind: z.literal(kind),
    metadata: z.strictObject({ name: nameSchema }),
    spec,
  });
}

export const documentSchemas = {
  Organization: toDocumentSchema('Organization', specSchemas.Organization),
  Team: toDocumentSchema('Team', specSchemas.Team),
  Group: toDocumentSchema('Group', specSchemas.Group),
  User: toDocumentSchema('User', specSchemas.User),
  Role: toDocumentSchema('Role', specSchemas.Role),
  RoleBinding: toDocumentSchema('RoleBinding', specSchemas.RoleBinding),
  ServiceAccount: toDocumentSchema('ServiceAccount', specSchemas.ServiceAccount),
} as const;

const documentSchema = z.discriminatedUnion('kind', [
  documentSchemas.Organization,
  documentSchemas.Team,
  documentSchemas.Group,
  documentSchemas.User,
  documentSchemas.Role,
  documentSchemas.RoleBinding,
  documentSchemas.ServiceAccount,
]);

export type DeclaredDocument = z.output<typeof documentSchema>;
export type DocumentKind = DeclaredDocument['kind'];

export function isDocumentKind(kind: unknown): kind is DocumentKind {
  return typeof kind === 'string' && Object.hasOwn(documentSchemas, kind);
}

/** JSON Schema (2020-12) by file name: one per kind, and `document` for a file that mixes kinds. */
export function toJsonSchemas(): ReadonlyMap<string, object> {
  const schemas = [...Object.entries(documentSchemas), ['document', documentSchema] as const];
  return new Map(
    schemas.map(([name, schema]) => [toFileName(name), z.toJSONSchema(schema, { io: 'input' })] as const),
  );
}

function toFileName(kind: string): string {
  return `${kind.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase()}.json`;
}
