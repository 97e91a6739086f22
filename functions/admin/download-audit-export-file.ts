import { findExport } from '../../shared/audit/index.ts';
import { fail, ok } from '../../shared/kernel/index.ts';
import { isObjectKey } from '../../shared/object-store/index.ts';
import { downloadAuditExportFilePath } from './download-audit-export-file.schema.ts';
import { defineOperation } from './operation.ts';

export const downloadAuditExportFileOperation = defineOperation({
  id: 'downloadAuditExportFile',
  method: 'get',
  path: '/v1/organizations/{org}/audit/exports/{export}/files/{path}',
  summary: 'Download one file of an export that is ready',
  permission: 'audit:export',
  params: downloadAuditExportFilePath,
  resource: 'export',
  response: 'file',
  example: { path: { path: 'events.ndjson' } },
  act: async (deps, { organization, params }) => {
    const found = await findExport(
      { pool: deps.pool, store: deps.stores.auditExport },
      { organizationId: organization.id, exportId: params.export },
    );
    if (!found.ok || found.value.objectPrefix === undefined) return fail({ code: 'resource.not_found' });
    if (found.value.status !== 'ready')
      return fail({ code: 'resource.conflict', detail: 'The export is not ready' });
    const key = found.value.objectPrefix + params.path;
    const bytes = isObjectKey(key) ? await deps.objects.get(key) : undefined;
    if (bytes === undefined) return fail({ code: 'resource.not_found' });
    return ok({ file: { bytes, contentType: contentTypeOf(params.path) } });
  },
});

const contentTypes: Readonly<Record<string, string>> = {
  ndjson: 'application/x-ndjson',
  json: 'application/json',
  md: 'text/markdown; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
};

function contentTypeOf(path: string): string {
  const extension = /\.([a-z]+)$/.exec(path)?.[1] ?? '';
  return (
    (Object.hasOwn(contentTypes, extension) ? contentTypes[extension] : undefined) ??
    'application/octet-stream'
  );
}
