import type { Actor } from '../events/index.ts';
import type { Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { ServiceAccountId } from '../service-account/index.ts';

/** Who is calling, proven by a credential. The subject of a decision may be somebody else. */
export type Principal = {
  readonly organizationId: OrganizationId;
  readonly type: 'service_account';
  readonly id: ServiceAccountId;
  readonly credential:
    | { readonly type: 'api_key'; readonly id: string; readonly fingerprint: string }
    | { readonly type: 'access_token'; readonly id: string; readonly keyId: string };
};

export type AuthenticationFailure =
  | { readonly code: 'credential.missing' }
  /** `reason` is for logs and counters; every caller gets the same answer. */
  | { readonly code: 'credential.invalid'; readonly reason: string };

/** Takes the value of the Authorization header: `Bearer <API key or access token>` (RFC 6750). */
export type Authenticator = {
  authenticate(authorization: string | undefined): Promise<Result<Principal, AuthenticationFailure>>;
};

export function toActor(principal: Principal): Actor {
  return { type: principal.type, id: principal.id };
}
