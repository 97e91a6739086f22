import { z } from 'zod';
import { credentialScopeSchema } from '../../shared/authorization/index.ts';
import { jsonWebKeySetSchema } from '../../shared/remote-jwks/index.ts';
import {
  requiredClaimSchema,
  requiredClaimsMax,
  type TrustRule,
  tokenAgeSecondsBounds,
  tokenUses,
  trustRuleId,
} from '../../shared/workload-identity/index.ts';
import { idField, instantField, nameField, serviceAccountIdField } from './field.schema.ts';

export const trustRuleIdField = idField(trustRuleId, 'Id of a trust rule: the `client_id` of its workload');

const visible = (lengthMax: number) =>
  z
    .string()
    .max(lengthMax)
    .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters');

export const issuerField = visible(255).describe('`iss` of its tokens, exactly: an https URL');
export const audienceField = visible(255).describe('`aud` of its tokens, exactly and alone');
export const subjectPatternField = visible(512).describe(
  '`sub` of its tokens, exactly, or with at most four `*`, each for any characters but `:`',
);
export const requiredClaimsField = z
  .array(requiredClaimSchema)
  .max(requiredClaimsMax)
  .describe('Claims that must have exactly this value; ids that are never given away');
export const tokenAgeField = z
  .int()
  .min(tokenAgeSecondsBounds.min)
  .max(tokenAgeSecondsBounds.max)
  .describe('How old a token may be, from its `iat`');
export const tokenUseField = z
  .enum(tokenUses)
  .describe('`until_expiry` for platforms that hand out the same token again, as Kubernetes does');
export const scopesField = z
  .array(credentialScopeSchema)
  .min(1)
  .max(20)
  .describe('What issued tokens are narrowed to; absent: all that the account may do');
export const keysField = jsonWebKeySetSchema.describe(
  'Public keys (RFC 7517) of an issuer that cannot be reached; absent: found by discovery',
);
export const trustRuleNameField = nameField.describe('Unique for its service account');

export const trustRuleView = z.strictObject({
  id: trustRuleIdField,
  serviceAccountId: serviceAccountIdField,
  name: trustRuleNameField,
  issuer: issuerField,
  audience: audienceField,
  subjectPattern: subjectPatternField,
  requiredClaims: requiredClaimsField,
  tokenAgeSecondsMax: tokenAgeField,
  tokenUse: tokenUseField,
  scopes: scopesField.optional(),
  jwks: keysField.optional(),
  status: z.enum(['active', 'disabled']),
  createdAt: instantField,
  createdBy: z.string(),
  updatedAt: instantField,
});

export function toTrustRuleView(rule: TrustRule): z.input<typeof trustRuleView> {
  const { organizationId: _, createdAt, updatedAt, requiredClaims, scopes, jwks, ...rest } = rule;
  return {
    ...rest,
    requiredClaims: [...requiredClaims],
    ...(scopes === undefined ? {} : { scopes: [...scopes] }),
    ...(jwks === undefined ? {} : { jwks }),
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
