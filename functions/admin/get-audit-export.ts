import { findExport } from '../../shared/audit/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { listAllObjects } from '../../shared/object-store/index.ts';
import { auditExportIdField, toAuditExportView } from './audit-export.schema.ts';
import { auditExportWithFilesView } from './get-audit-export.schema.ts';
import { defineOperation } from './operation.ts';

export const getAuditExportOperation = defineOperation({
  id: 'getAuditExport',
  method: 'get',
  path: '/v1/organizations/{org}/audit/exports/{export}',
  summary: 'Read how far an export is, and its files when it is ready',
  permission: 'audit:export',
  params: { export: auditExportIdField },
  resource: 'export',
  response: auditExportWithFilesView,
  act: async (deps, { organization, params }) => {
    const found = await findExport(
      { pool: deps.pool, store: deps.stores.auditExport },
      { organizationId: organization.id, exportId: params.export },
    );
    if (!found.ok) return fail({ code: 'resource.not_found' });
    const view = toAuditExportView(found.value);
    const { objectPrefix, status } = found.value;
    if (status !== 'ready' || objectPrefix === undefined) return ok({ body: view });
    const files: string[] = [];
    for await (const key of listAllObjects(deps.objects, objectPrefix))
      files.push(key.slice(objectPrefix.length));
    return ok({ body: { ...view, files } });
  },
});
