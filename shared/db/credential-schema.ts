import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { ManagedBy, Stamped } from './row-parts.ts';

// Rows of accounts and their credentials, and of the keys that everything sealed is sealed with.

export type ServiceAccountRow = Stamped & {
  org_id: string;
  service_account_id: string;
  name: string;
  display_name: string;
  owner_team_id: string | null;
  status: 'active' | 'disabled' | 'deleted';
  managed_by: ManagedBy | 'platform';
  expires_at: Date | null;
  created_by: string | null;
  reason: string | null;
  /** What its name was; of a deleted account alone, whose `name` is its id. */
  deleted_name: string | null;
  deleted_at: Date | null;
};

export type ServiceAccountLabelsColumn = {
  labels: ColumnType<Record<string, string>, string | undefined, string>;
};

export type ApiKeyRow = {
  org_id: string;
  key_id: string;
  /** Exactly one of the two owns it. */
  service_account_id: string | null;
  user_id: string | null;
  secret_sealed: Buffer | null;
  secret_key_version: number | null;
  /** One more with each rotation. */
  secret_number: Generated<number>;
  previous_secret_sealed: Buffer | null;
  previous_secret_key_version: number | null;
  previous_secret_until: Date | null;
  /** Of rows from before there were seals, until their next use. */
  secret_mac: Buffer | null;
  pepper_version: number | null;
  last_four: string;
  /** Null of keys from before this was kept. */
  environment: 'live' | 'test' | null;
  description: string;
  reason: string | null;
  labels: ColumnType<Record<string, string>, string | undefined, string>;
  scopes: string[] | null;
  allowed_networks: string[] | null;
  status: 'active' | 'disabled' | 'revoked';
  created_at: Date;
  created_by: string;
  expires_at: Date | null;
  last_used_at: Date | null;
  disabled_at: Date | null;
  disabled_by: string | null;
  revoked_at: Date | null;
  revoked_by: string | null;
};

export type TrustRuleRow = Stamped & {
  org_id: string;
  trust_rule_id: string;
  service_account_id: string;
  name: string;
  issuer: string;
  audience: string;
  subject_pattern: string;
  required_claims: JSONColumnType<readonly object[]>;
  token_age_seconds_max: number;
  token_use: 'once' | 'until_expiry';
  scopes: string[] | null;
  jwks: JSONColumnType<object | null, string | null, string | null>;
  status: 'active' | 'disabled';
  created_by: string;
};

export type TokenUseRow = { digest: Buffer; until: Date };

export type SigningKeyRow = {
  key_id: string;
  algorithm: string;
  public_jwk: JSONColumnType<Record<string, string>>;
  private_jwk_sealed: Buffer | null;
  published_at: Date;
  active_from: Date;
  verify_until: Date | null;
  created_at: Date;
  revoked_at: Generated<Date | null>;
  revoked_by: Generated<string | null>;
};

export type SigningKeyRotationRequestRow = {
  request_id: string;
  requested_by: string;
  requested_at: Date;
  done_at: Date | null;
};

export type OidcRecordRow = {
  model: string;
  id_hash: Buffer;
  payload_sealed: Buffer;
  grant_id_hash: Buffer | null;
  uid_hash: Buffer | null;
  user_code_hash: Buffer | null;
  account_id: string | null;
  consumed_at: Date | null;
  expires_at: Date | null;
};

export type DataKeyRow = {
  data_key_id: string;
  purpose: string;
  version: number;
  wrapped_key: Buffer;
  wrapping_key_id: string;
  created_at: Date;
  /** Null as of before there were successors: from its creation. */
  active_from: Date | null;
};

export type DataKeyRotationRow = {
  rotation_id: string;
  purpose: string;
  status: 'requested' | 'waiting' | 'resealing' | 'retiring' | 'finished';
  target_version: number | null;
  active_from: Date | null;
  /** The organization whose rows were sealed anew last. */
  position: Generated<string>;
  rows_total: Generated<number>;
  rows_done: Generated<number>;
  rows_unreadable: Generated<number>;
  requested_by: string;
  requested_at: Date;
  updated_at: Date;
  settled_at: Date | null;
  finished_at: Date | null;
  /** Of a finished one: which rotation took over what it left. */
  superseded_by: string | null;
};

/** Written by migrations alone. */
export type SealedColumnRow = {
  purpose: string;
  relation: string;
  column_name: string;
  scope: 'organization' | 'platform' | 'none';
  version_expression: string;
  is_resealed: boolean;
};

/** Kept after the key is gone: `key_sealed` is null exactly when `destroyed_at` is not. */
export type SubjectKeyRow = {
  org_id: string;
  subject_id: string;
  generation: number;
  key_sealed: Buffer | null;
  created_at: Date;
  destroyed_at: Date | null;
  destroyed_by: string | null;
};
