import type { ColumnType, Generated } from 'kysely';
import type {
  AuthorizationRevisionRow,
  GroupMemberRow,
  MembershipRow,
  ResourceRow,
  ResourceTypeRow,
  RoleBindingConditionsColumn,
  RoleBindingRow,
  RoleRow,
  TeamMemberRow,
  TeamRow,
  UserGroupRow,
} from './authorization-schema.ts';
import type {
  ApiKeyRow,
  DataKeyRotationRow,
  DataKeyRow,
  OidcRecordRow,
  SealedColumnRow,
  ServiceAccountLabelsColumn,
  ServiceAccountRow,
  SigningKeyRotationRequestRow,
  SigningKeyRow,
  SubjectKeyRow,
  TokenUseRow,
  TrustRuleRow,
} from './credential-schema.ts';
import type {
  GitSourceOrganizationRow,
  GitSourceRow,
  ReconcileRunRow,
  WebhookDeliveryRow,
} from './git-schema.ts';
import type {
  AuditEntryRow,
  AuditEventRow,
  AuditExportRow,
  AuditLogRow,
  AuditTileRow,
  DecisionJournalRow,
  DecisionSegmentRow,
  OutboxRow,
} from './log-schema.ts';
import type { ManagedBy, Stamped } from './row-parts.ts';

export type {
  ResourceRow,
  ResourceTypeRow,
  RoleBindingRow,
  RoleRow,
  TeamMemberRow,
  UserGroupRow,
} from './authorization-schema.ts';
export type {
  ApiKeyRow,
  DataKeyRotationRow,
  DataKeyRow,
  OidcRecordRow,
  ServiceAccountRow,
  SigningKeyRow,
  SubjectKeyRow,
  TrustRuleRow,
} from './credential-schema.ts';
export type {
  GitSourceRow,
  ReconcileRunRow,
} from './git-schema.ts';
export type {
  AuditEntryRow,
  AuditExportRow,
  AuditLogRow,
  DecisionJournalRow,
  OutboxRow,
} from './log-schema.ts';

// Row types of every table, as `pg` returns them with the parsers of `pool.ts`: bigint as number, timestamptz as Date.

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

export type IdempotencyRecordRow = {
  org_id: string;
  idempotency_key: string;
  request_hash: Buffer;
  response_status: number;
  response_sealed: Buffer;
  created_at: Date;
};

export type LeaseRow = { name: string; holder: string; fence: number; expires_at: Date };

export type Database = {
  organization: OrganizationRow & OrganizationGuardsColumn & OrganizationDecisionLogColumns;
  locator: LocatorRow;
  membership: MembershipRow;
  team: TeamRow;
  team_member: TeamMemberRow;
  user_group: UserGroupRow;
  group_member: GroupMemberRow;
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
