import { z } from 'zod';
import { apiKeyId, userId } from '../../shared/api-key/index.ts';
import { gitSourceId } from '../../shared/git-source/index.ts';
import { namePattern, type TypeIdKind } from '../../shared/kernel/index.ts';
import { labelsSchema, serviceAccountId } from '../../shared/service-account/index.ts';

/** Fields that several operations share, each with one form and one meaning. */
const idSuffix = '[0-7][0-9a-hjkmnp-tv-z]{25}';

/** An id of one kind, branded. The pattern is the whole form, so that it can stand in the OpenAPI document. */
export function idField<const Prefix extends string>(kind: TypeIdKind<Prefix>, what: string) {
  return z
    .string()
    .regex(new RegExp(`^${kind.prefix}_${idSuffix}$`), `must be a ${kind.prefix}_ id`)
    .refine(kind.is)
    .describe(what);
}

export const apiKeyIdField = idField(apiKeyId, 'Id of an API key');
export const gitSourceIdField = idField(gitSourceId, 'Id of a Git source');
export const serviceAccountIdField = idField(serviceAccountId, 'Id of a service account');
export const userIdField = idField(userId, 'Id of a user');

export const organizationReferenceField = z
  .string()
  .regex(new RegExp(`^org_${idSuffix}$|${namePattern.source}`), 'must be an org_ id or a name')
  .describe('Id or name of an organization');

export const nameField = z
  .string()
  .regex(namePattern, 'must be a DNS label: lower-case letters, digits and inner hyphens, at most 63');

// Threat: bidirectional overrides show a reader another name than the one stored (CVE-2021-42574).
const plainText = /^[^\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069]*$/u;
const plainTextRule = 'must be one line of text without control or direction-changing characters';

export const lineField = (lengthMax: number) =>
  z.string().min(1, 'must not be empty').max(lengthMax).regex(plainText, plainTextRule);

export const displayNameField = lineField(128);

export const instantField = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 date-time, as in 2027-01-31T00:00:00Z' })
  .describe('RFC 3339 date-time');

export const labelsField = labelsSchema.describe('Words to find it by; replaced as a whole');

export const labelFilterField = z
  .string()
  .max(1024)
  .regex(/^[^=,]+=[^=,]*(,[^=,]+=[^=,]*)*$/, 'must be <name>=<value>, several separated by commas')
  .describe('Only what has each of these labels, as in team=payments,env=prod');

export const managedByField = z.enum(['git', 'api', 'platform']).describe('Where it is declared');
