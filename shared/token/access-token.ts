import type { ApiKeyId } from '../api-key/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';

/** Life of an access token. A JWT cannot be called back, so it is short. */
export const accessTokenTtlSeconds = 300;

/** How far the clocks of issuer and verifier may differ. */
export const verifierSkewSeconds = 5;

/** What a verified token says, RFC 9068 section 2.2, and two claims of ours. */
export type AccessTokenClaims = {
  readonly issuer: string;
  readonly audience: string;
  /** `sub` and `client_id`: a client acts for itself. */
  readonly subject: ServiceAccountId;
  /** `org_id` */
  readonly organizationId: OrganizationId;
  /** `api_key_id`: the key that was presented for it, so that a verifier may refuse it once that key is revoked. */
  readonly apiKeyId: ApiKeyId;
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
