import type { ApiKeyId } from '../api-key/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';
import type { TrustRuleId } from '../workload-identity/index.ts';

/** Life of an access token. A JWT cannot be called back, so it is short. */
export const accessTokenTtlSeconds = 300;

/** How far the clocks of issuer and verifier may differ. */
export const verifierSkewSeconds = 5;

/** How many may act for one another, RFC 8693 section 4.1; the one who presents the token comes first. */
export const actorsMax = 3;

/** What a token was issued for. It is good no longer than that, so a verifier refuses it once that is gone. */
export type IssuedFor =
  /** `api_key_id`: the key that was presented for it. */
  | { readonly type: 'api_key'; readonly id: ApiKeyId }
  /** `trust_rule_id`: the rule under which a foreign token was taken. */
  | { readonly type: 'trust_rule'; readonly id: TrustRuleId };

/** Who acts for the subject: a service account, proven by this key. */
export type ActingParty = { readonly subject: ServiceAccountId; readonly apiKeyId: ApiKeyId };

/** What a verified token says, RFC 9068 section 2.2, and claims of ours. */
export type AccessTokenClaims = {
  readonly issuer: string;
  readonly audience: string;
  /** `sub` */
  readonly subject: ServiceAccountId;
  /** `org_id` */
  readonly organizationId: OrganizationId;
  readonly issuedFor: IssuedFor;
  /** `act`, outermost first; empty when the subject acts for itself. */
  readonly actors: readonly ActingParty[];
  /** `jti` */
  readonly tokenId: string;
  readonly scope: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Of the signing key. */
  readonly keyId: string;
};

/** For logs and counters; every caller is answered alike. */
export type AccessTokenRefusalReason =
  | 'malformed'
  | 'header'
  | 'unknown_key'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'expired'
  | 'not_yet_valid'
  | 'claims';

export type AccessTokenRefusal = {
  readonly code: 'access_token.refused';
  readonly reason: AccessTokenRefusalReason;
};
