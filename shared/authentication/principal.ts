import type { UserId } from '../api-key/index.ts';
import type { Actor } from '../events/index.ts';
import type { Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';

/** Who is calling, proven by a credential. The subject of a decision may be somebody else. */
export type Principal = (
  | { readonly type: 'service_account'; readonly id: ServiceAccountId }
  | { readonly type: 'user'; readonly id: UserId }
) & {
  readonly organizationId: OrganizationId;
  /** Permission patterns outside which this credential grants nothing; absent: all that its owner may do. */
  readonly scopes?: readonly string[];
  /** Networks that the key behind this credential is bound to (CIDR); absent: none. */
  readonly allowedNetworks?: readonly string[];
  /** When the key behind this credential ends; absent: when it is revoked. */
  readonly expiresAt?: Date;
  /** Accounts that act for it by delegation, the one who calls first; absent: it calls itself. Never empty. */
  readonly actedBy?: readonly string[];
  readonly credential:
    | { readonly type: 'api_key'; readonly id: string; readonly fingerprint: string }
    | { readonly type: 'access_token'; readonly id: string; readonly keyId: string };
};

export type AuthenticationFailure =
  | { readonly code: 'credential.missing' }
  /** `reason` is for logs and counters; every caller gets the same answer. */
  | { readonly code: 'credential.invalid'; readonly reason: string }
  | TooManyFailures;

/** Nothing was looked up: too many credentials from there were wrong. Only where the authenticator has limits. */
export type TooManyFailures = {
  readonly code: 'rate_limit.exceeded';
  readonly retryAfterSeconds: number;
  readonly detail: string;
};

/** Where a request came from: the caller's address, as the host of the function tells it (TRUSTED_HOPS). */
export type CallerOrigin = { readonly address: string | undefined };

/**
 * Takes the value of the Authorization header: `Bearer <API key or access token>` (RFC 6750). A key that is bound to
 * networks is refused when nobody says where it comes from.
 */
export type Authenticator = {
  authenticate(
    authorization: string | undefined,
    from?: CallerOrigin,
    /** As soon as it is proven who calls, before it is looked whether the account is still active. */
    onProven?: (principal: Principal) => void,
  ): Promise<Result<Principal, AuthenticationFailure>>;
};

/** With who really called, so that no change made for another is taken for the other's own. */
export function toActor({ type, id, actedBy }: Principal): Actor {
  return { type, id, ...(actedBy === undefined ? {} : { actedBy: [...actedBy] }) };
}
