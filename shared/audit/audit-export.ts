import { type TypeId, typeId } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { LogDay } from './audit-log.ts';

export const auditExportId = typeId('exp');
export type AuditExportId = TypeId<'exp'>;

/** One organization's events of one window, from `from` up to, not including, `to`. */
export type AuditExport = {
  readonly organizationId: OrganizationId;
  readonly id: AuditExportId;
  readonly from: Date;
  readonly to: Date;
  readonly status: 'requested' | 'running' | 'ready' | 'failed';
  /** Where its files are in the object store, ending in `/`; from the first run on. */
  readonly objectPrefix: string | undefined;
  readonly events: number | undefined;
  /** Code of the failure. */
  readonly failure: string | undefined;
  readonly requestedBy: string;
  readonly requestedAt: Date;
  readonly finishedAt: Date | undefined;
};

/** A log as the export shows it: the first run chooses the checkpoint, so that every further run writes the same. */
export type PinnedLog = {
  readonly day: LogDay;
  readonly checkpoint: string;
  readonly size: number;
  readonly verifierKey: string;
};

export function exportPrefixOf({ organizationId, id }: Pick<AuditExport, 'organizationId' | 'id'>): string {
  return `exports/${organizationId}/${id}/`;
}
