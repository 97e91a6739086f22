import type { OrganizationId } from '../organization/index.ts';
import type { JsonWebKeySet } from '../remote-jwks/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { RequiredClaim } from './required-claim.ts';
import type { TrustRuleId } from './trust-rule-id.ts';

/**
 * Which tokens of a foreign issuer prove to be a service account. A rule never changes but for its status: what it
 * said when a token was issued under it is what it says.
 */
export type TrustRule = {
  readonly organizationId: OrganizationId;
  readonly id: TrustRuleId;
  readonly serviceAccountId: ServiceAccountId;
  /** Unique for its service account. */
  readonly name: string;
  /** `iss`, exactly. */
  readonly issuer: string;
  /** `aud`, exactly and alone: a token for several audiences could come from any of them. */
  readonly audience: string;
  /** `sub`; see subject-pattern.ts. */
  readonly subjectPattern: string;
  readonly requiredClaims: readonly RequiredClaim[];
  /** From `iat`. */
  readonly tokenAgeSecondsMax: number;
  /**
   * `once`: a token is exchanged once in its life. `until_expiry` is for platforms that hand a workload the same token
   * again and again, as Kubernetes does.
   */
  readonly tokenUse: 'once' | 'until_expiry';
  /** Permission patterns that issued tokens are narrowed to; absent: all that the account may do. */
  readonly scopes: readonly string[] | undefined;
  /** Keys of an issuer that cannot be reached from here; absent: found by discovery. */
  readonly jwks: JsonWebKeySet | undefined;
  readonly status: 'active' | 'disabled';
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly updatedAt: Date;
};

export const tokenUses = ['once', 'until_expiry'] as const satisfies readonly TrustRule['tokenUse'][];

/** Of one service account. */
export const trustRulesMax = 20;
export const tokenAgeSecondsBounds = { min: 60, byDefault: 600, max: 86_400 };
