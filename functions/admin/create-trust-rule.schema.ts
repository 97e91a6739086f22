import { tokenAgeSecondsBounds } from '../../shared/workload-identity/index.ts';
import {
  audienceField,
  issuerField,
  keysField,
  requiredClaimsField,
  scopesField,
  subjectPatternField,
  tokenAgeField,
  tokenUseField,
  trustRuleNameField,
} from './trust-rule.schema.ts';

export const createTrustRuleBody = {
  name: trustRuleNameField,
  issuer: issuerField,
  audience: audienceField.optional().describe('`aud` of its tokens, exactly; absent: our own issuer URL'),
  subjectPattern: subjectPatternField,
  requiredClaims: requiredClaimsField.default([]),
  tokenAgeSecondsMax: tokenAgeField.default(tokenAgeSecondsBounds.byDefault),
  tokenUse: tokenUseField.default('once'),
  scopes: scopesField.optional(),
  jwks: keysField.optional(),
};
