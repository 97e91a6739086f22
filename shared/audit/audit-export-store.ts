import type { OrgTransaction, SystemTransaction } from '../db/index.ts';
import type { AuditExport, AuditExportId, PinnedLog } from './audit-export.ts';
import type { FinalExportFailure } from './audit-export-failure.ts';

export type ExportName = Pick<AuditExport, 'organizationId' | 'id'>;

/**
 * Exports of the transaction's organization. `finish` and `fail` end an export once: false when it has ended before.
 * `lock` also keeps a second run from pinning other logs. Only the role of audit-export may change rows.
 */
export type AuditExportStore = {
  add(tx: OrgTransaction, requested: AuditExport): Promise<void>;
  find(tx: OrgTransaction, id: AuditExportId): Promise<AuditExport | undefined>;
  lock(
    tx: OrgTransaction,
    id: AuditExportId,
  ): Promise<{ export: AuditExport; pinned: readonly PinnedLog[] | undefined } | undefined>;
  start(
    tx: OrgTransaction,
    input: { id: AuditExportId; objectPrefix: string; pinned: readonly PinnedLog[] },
  ): Promise<void>;
  finish(tx: OrgTransaction, input: { id: AuditExportId; events: number; at: Date }): Promise<boolean>;
  fail(
    tx: OrgTransaction,
    input: { id: AuditExportId; failure: FinalExportFailure['code']; at: Date },
  ): Promise<boolean>;
  /** Not ended, of all organizations, oldest first. */
  listWaiting(
    tx: SystemTransaction,
    page: { requestedBefore: Date; limit: number },
  ): Promise<readonly ExportName[]>;
};
