import { z } from 'zod';
import { type ApiKey, fingerprintOf, parseNetwork, scopesMax } from '../../shared/api-key/index.ts';
import { credentialScopeSchema } from '../../shared/authorization/index.ts';
import {
  apiKeyIdField,
  instantField,
  labelsField,
  lineField,
  serviceAccountIdField,
  userIdField,
} from './field.schema.ts';

export const scopesField = z
  .array(credentialScopeSchema)
  .min(1, 'must name at least one')
  .max(scopesMax)
  .describe('Outside these the key grants nothing; they never add to what its owner may do');

const networksField = z
  .array(
    z.string().superRefine((text, context) => {
      const parsed = parseNetwork(text);
      if (!parsed.ok) context.addIssue({ code: 'custom', message: parsed.failure.message });
    }),
  )
  .min(1, 'must name at least one')
  .max(50)
  .describe('CIDR, IPv4 or IPv6: the key works from these alone. Absent: from anywhere');

export const reasonField = lineField(200).describe(
  'Stands in the audit log for ever: no secret, no personal data',
);

/** What every kind of key is issued with. */
export const newApiKeyBody = {
  description: lineField(200).describe('What the key is for'),
  reason: reasonField.optional(),
  labels: labelsField.optional(),
  environment: z.enum(['live', 'test']).default('live').describe('Stands in the text of the key'),
  allowedNetworks: networksField.optional(),
  expiresAt: instantField.optional().describe('Absent: the key works until it is revoked'),
};

/** A key as it may be shown at any time: by its fingerprint. */
export const apiKeyView = z.strictObject({
  id: apiKeyIdField,
  fingerprint: z.string().describe('Id and last four characters'),
  serviceAccountId: serviceAccountIdField.optional().describe('The owner, unless the key is personal'),
  userId: userIdField.optional().describe('The owner of a personal key'),
  environment: z.enum(['live', 'test']).optional().describe('Absent: from before it was kept'),
  description: z.string(),
  reason: z.string().optional(),
  labels: z.record(z.string(), z.string()),
  scopes: z.array(z.string()).optional().describe('Absent: all that the owner may do'),
  allowedNetworks: z.array(z.string()).optional().describe('Absent: from anywhere'),
  status: z.enum(['active', 'disabled', 'revoked']),
  createdAt: instantField,
  createdBy: z.string(),
  expiresAt: instantField.optional(),
  lastUsedAt: instantField.optional().describe('To the minute, and some minutes late'),
  previousSecretUntil: instantField.optional().describe('Until then the secret before the newest works too'),
  disabledAt: instantField.optional(),
  disabledBy: z.string().optional(),
  revokedAt: instantField.optional(),
  revokedBy: z.string().optional(),
});

export const issuedApiKeyView = apiKeyView.extend({
  text: z.string().describe('The key itself. It is shown this once and cannot be read again'),
});

export function toApiKeyView(key: ApiKey): z.input<typeof apiKeyView> {
  const { id, environment, description, labels, status, createdBy } = key;
  return {
    id,
    fingerprint: fingerprintOf(id, key.lastFour),
    ...(key.owner.type === 'user' ? { userId: key.owner.id } : { serviceAccountId: key.owner.id }),
    ...(environment && { environment }),
    description,
    ...(key.reason && { reason: key.reason }),
    labels: { ...labels },
    ...(key.scopes && { scopes: [...key.scopes] }),
    ...(key.allowedNetworks && { allowedNetworks: [...key.allowedNetworks] }),
    status,
    createdAt: key.createdAt.toISOString(),
    createdBy,
    ...toInstants(key),
    ...(key.disabledBy && { disabledBy: key.disabledBy }),
    ...(key.revokedBy && { revokedBy: key.revokedBy }),
  };
}

const instants = ['expiresAt', 'lastUsedAt', 'previousSecretUntil', 'disabledAt', 'revokedAt'] as const;

function toInstants(key: ApiKey): Partial<Record<(typeof instants)[number], string>> {
  return Object.fromEntries(
    instants.flatMap((name) => {
      const instant = key[name];
      return instant === undefined ? [] : [[name, instant.toISOString()]];
    }),
  );
}
