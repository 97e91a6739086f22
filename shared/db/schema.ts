import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type {
  AuthorizationRevisionRow,
  MembershipRow,
  ResourceRow,
  ResourceTypeRow,
  RoleBindingConditionsColumn,
  RoleBindingRow,
  RoleRow,
  TeamMemberRow,
  TeamRow,
} from './authorization-schema.ts';

export type {
  AuthorizationRevisionRow,
  MembershipRow,
  ResourceRow,
  ResourceTypeRow,
  RoleBindingRow,
  RoleRow,
  TeamMemberRow,
  TeamRow,
} from './authorization-schema.ts';

/** Row types of every table, as `pg` returns them with the parsers of `pool.ts`: bigint as number, timestamptz as Date. */
type Stamped = { created_at: Date; updated_at: Date };
type ManagedBy = 'git' | 'api';

export type OrganizationRow = Stamped & {
  org_id: string;
  name: string;
  display_name: string;
  status: 'active' | 'suspended';
  managed_by: ManagedBy | 'platform';
};

/** Written by reconciliation alone; everyone else takes the default. */
type OrganizationGuardsColumn = {
  guards: ColumnType<
    { maxRemovalPercent: number; minOwners: number; removalsAlwaysAllowed: number },
    string | undefined,
    string
  >;
};

export type DecisionLogMask = { path: string; mode: 'hash' | 'remove' };

/** What is kept of the organization's decisions; see shared/decision-record. */
type OrganizationDecisionLogColumns = {
  decision_log_level: Generated<'all' | 'denials-and-privileged'>;
  decision_log_masks: ColumnType<DecisionLogMask[], string | undefined, string>;
};

export type LocatorRow = { id: string; org_id: string };

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

type ServiceAccountLabelsColumn = {
  labels: ColumnType<Record<string, string>, string | undefined, string>;
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

export type IdempotencyRecordRow = {
  org_id: string;
  idempotency_key: string;
  request_hash: Buffer;
  response_status: number;
  response_sealed: Buffer;
  created_at: Date;
};

export type AuditEventRow = {
  org_id: string;
  event_id: string;
  type: string;
  subject: string;
  actor_type: string;
  actor_id: string;
  occurred_at: Date;
  leaf: string;
};

export type OutboxRow = {
  sequence: Generated<number>;
  org_id: string;
  topic: string;
  event_id: string;
  payload: string;
  created_at: Date;
};

export type AuditLogRow = Stamped & {
  org_id: string;
  log_id: string;
  /** `yyyy-mm-dd` */
  day: string;
  origin: string;
  size: number;
  root_hash: Buffer;
  checkpoint: string;
  published_size: Generated<number>;
  verifier_key: string;
  status: 'open' | 'sealed';
};

export type AuditEntryRow = {
  org_id: string;
  log_id: string;
  entry_index: number;
  source: string;
  event_id: string;
  leaf: string;
  leaf_hash: Buffer;
  occurred_at: Date;
  appended_at: Date;
};

export type AuditTileRow = {
  org_id: string;
  log_id: string;
  level: number;
  tile_index: number;
  hashes: Buffer;
};

export type AuditExportRow = {
  org_id: string;
  export_id: string;
  window_from: Date;
  window_to: Date;
  status: 'requested' | 'running' | 'ready' | 'failed';
  object_prefix: string | null;
  /** JSON, read with its own schema. */
  pinned_logs: string | null;
  events: number | null;
  failure: string | null;
  requested_by: string;
  requested_at: Date;
  finished_at: Date | null;
};

export type DecisionJournalRow = {
  org_id: string;
  segment_id: string;
  part: number;
  records: number;
  time_from: Date;
  time_to: Date;
  lines: string;
  written_at: Generated<Date>;
};

export type DecisionSegmentRow = {
  org_id: string;
  segment_id: string;
  object_key: string;
  sha256: Buffer;
  records: number;
  time_from: Date;
  time_to: Date;
  filter: Buffer;
  event_id: string;
};

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

export type LeaseRow = { name: string; holder: string; fence: number; expires_at: Date };

export type GitSourceRow = Stamped & {
  source_id: string;
  url: string;
  ref: string;
  webhook_secret_sealed: Buffer;
  observed_commit: string | null;
  applied_commit: string | null;
  conditions: JSONColumnType<readonly object[]>;
};

export type WebhookDeliveryRow = { source_id: string; delivery_id: string; received_at: Date };

export type GitSourceOrganizationRow = {
  source_id: string;
  name: string;
  org_id: string;
  applied_tree_oid: string | null;
};

export type ReconcileRunRow = {
  org_id: string;
  run_id: string;
  source_id: string;
  /** Of the organization as Git declares it; in the platform's scope there is no other trace of it. */
  name: string;
  commit_sha: string;
  tree_oid: string;
  plan: JSONColumnType<object | null, string | null, string | null>;
  plan_hash: string | null;
  status: 'planned' | 'applied' | 'refused';
  failure: JSONColumnType<object | null, string | null, string | null>;
  planned_at: Date;
  applied_at: Date | null;
};

export type Database = {
  organization: OrganizationRow & OrganizationGuardsColumn & OrganizationDecisionLogColumns;
  locator: LocatorRow;
  membership: MembershipRow;
  team: TeamRow;
  team_member: TeamMemberRow;
  role: RoleRow;
  role_binding: RoleBindingRow & RoleBindingConditionsColumn;
  resource_type: ResourceTypeRow;
  resource: ResourceRow;
  authorization_revision: AuthorizationRevisionRow;
  service_account: ServiceAccountRow & ServiceAccountLabelsColumn;
  data_key: DataKeyRow;
  data_key_rotation: DataKeyRotationRow;
  sealed_column: SealedColumnRow;
  subject_key: SubjectKeyRow;
  api_key: ApiKeyRow;
  trust_rule: TrustRuleRow;
  token_use: TokenUseRow;
  idempotency_record: IdempotencyRecordRow;
  audit_event: AuditEventRow;
  outbox: OutboxRow;
  audit_log: AuditLogRow;
  audit_entry: AuditEntryRow;
  audit_tile: AuditTileRow;
  audit_export: AuditExportRow;
  decision_journal: DecisionJournalRow;
  decision_segment: DecisionSegmentRow;
  signing_key: SigningKeyRow;
  signing_key_rotation_request: SigningKeyRotationRequestRow;
  oidc_record: OidcRecordRow;
  lease: LeaseRow;
  git_source: GitSourceRow;
  webhook_delivery: WebhookDeliveryRow;
  git_source_organization: GitSourceOrganizationRow;
  reconcile_run: ReconcileRunRow;
};
