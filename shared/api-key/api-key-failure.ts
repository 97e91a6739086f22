export type ApiKeyFailure =
  /** No such owner in this organization, or it is disabled. */
  | { readonly code: 'api_key.owner_not_found' }
  | { readonly code: 'api_key.not_found' }
  | { readonly code: 'api_key.expiry_in_past'; readonly expiresAt: string };

/** Why a presented key was refused. For logs and counters; a caller learns only that its credential is not valid. */
export type ApiKeyRefusal = {
  readonly code: 'api_key.refused';
  readonly reason:
    | 'malformed'
    | 'unknown'
    | 'wrong_secret'
    | 'revoked'
    | 'disabled'
    | 'expired'
    | 'owner_disabled';
};
