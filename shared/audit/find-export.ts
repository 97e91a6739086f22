import { type DatabasePool, withOrg } from '../db/index.ts';
import { fail, ok, type Result } from '../kernel/index.ts';
import type { OrganizationId } from '../organization/index.ts';
import type { AuditExport, AuditExportId } from './audit-export.ts';
import type { AuditExportFailure } from './audit-export-failure.ts';
import type { AuditExportStore } from './audit-export-store.ts';

/** Another organization's export is not found: row-level security hides it, whatever its id. */
export async function findExport(
  deps: { readonly pool: DatabasePool; readonly store: AuditExportStore },
  input: { organizationId: OrganizationId; exportId: AuditExportId },
): Promise<Result<AuditExport, Extract<AuditExportFailure, { code: 'audit_export.not_found' }>>> {
  const found = await withOrg(deps.pool, input.organizationId, (tx) => deps.store.find(tx, input.exportId));
  return found === undefined ? fail({ code: 'audit_export.not_found' }) : ok(found);
}
