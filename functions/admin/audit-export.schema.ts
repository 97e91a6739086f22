import { z } from 'zod';
import { type AuditExport, auditExportId } from '../../shared/audit/index.ts';
import { idField, instantField } from './field.schema.ts';

export const auditExportIdField = idField(auditExportId, 'Id of an export');

export const auditExportView = z.strictObject({
  id: auditExportIdField,
  from: instantField,
  to: instantField.describe('Not included'),
  status: z.enum(['requested', 'running', 'ready', 'failed']),
  events: z.int().optional(),
  failure: z.string().optional().describe('Code of the failure'),
  requestedBy: z.string(),
  requestedAt: instantField,
  finishedAt: instantField.optional(),
});

export function toAuditExportView(found: AuditExport): z.input<typeof auditExportView> {
  return {
    id: found.id,
    from: found.from.toISOString(),
    to: found.to.toISOString(),
    status: found.status,
    ...(found.events !== undefined && { events: found.events }),
    ...(found.failure !== undefined && { failure: found.failure }),
    requestedBy: found.requestedBy,
    requestedAt: found.requestedAt.toISOString(),
    ...(found.finishedAt && { finishedAt: found.finishedAt.toISOString() }),
  };
}

export function addressOfExport(found: AuditExport): string {
  return `/v1/organizations/${found.organizationId}/audit/exports/${found.id}`;
}
