import type { ApiKey } from './api-key.ts';
import type { ApiKeyEnvironment } from './api-key-text.ts';
import type { BoundsFailure } from './credential-bounds.ts';
import type { ScopeFailure } from './key-scopes.ts';

export type ApiKeyFailure =
  /** No such owner in this organization, or it is not active. */
  | { readonly code: 'api_key.owner_not_found' }
  | { readonly code: 'api_key.not_found' }
  | { readonly code: 'api_key.expiry_in_past'; readonly expiresAt: string }
  | { readonly code: 'api_key.not_active'; readonly status: ApiKey['status'] | 'expired' }
  /** A personal key's text is for its owner alone. */
  | { readonly code: 'api_key.not_yours' }
  /** A key never becomes one of another environment. */
  | { readonly code: 'api_key.environment_fixed'; readonly environment: ApiKeyEnvironment }
  /** Two secrets live at once, never three. */
  | { readonly code: 'api_key.overlap_running'; readonly until: Date }
  /** The row has only the keyed hash of an older form, which cannot stand beside another secret. */
  | { readonly code: 'api_key.overlap_unavailable' }
  | BoundsFailure
  | ScopeFailure;

export type FailureOf<Name extends string> = Extract<ApiKeyFailure, { code: `api_key.${Name}` }>;

/** Why a presented key was refused. For logs and counters; a caller learns only that its credential is not valid. */
export type ApiKeyRefusal = {
  readonly code: 'api_key.refused';
  readonly reason:
    | 'malformed'
    | 'unknown'
    | 'wrong_secret'
    /** Right until a rotation ended it. */
    | 'superseded'
    | 'revoked'
    | 'disabled'
    | 'expired'
    | 'owner_disabled'
    | 'owner_expired';
};
