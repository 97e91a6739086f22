import type { JSONColumnType } from 'kysely';
import type { Stamped } from './row-parts.ts';

// Rows of organizations declared in Git, and of what reconciling them did.

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
