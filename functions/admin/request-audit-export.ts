import { type AuditExportFailure, requestExport } from '../../shared/audit/index.ts';
import { ok } from '../../shared/kernel/index.ts';
import { addressOfExport, auditExportView, toAuditExportView } from './audit-export.schema.ts';
import { defineOperation } from './operation.ts';
import { malformed } from './parse-request.ts';
import { requestAuditExportBody } from './request-audit-export.schema.ts';

export const requestAuditExportOperation = defineOperation({
  id: 'requestAuditExport',
  method: 'post',
  path: '/v1/organizations/{org}/audit/exports',
  summary: 'Ask for an export of the audit log with its proofs; ask its address until it is ready',
  permission: 'audit:export',
  body: requestAuditExportBody,
  status: 202,
  creates: true,
  response: auditExportView,
  example: { body: { from: '2026-01-01T00:00:00Z', to: '2026-01-31T00:00:00Z' } },
  act: async (deps, { actor, organization, body }) => {
    const requested = await requestExport(
      { ...deps, store: deps.stores.auditExport },
      { organizationId: organization.id, actor, from: new Date(body.from), to: new Date(body.to) },
    );
    if (!requested.ok) return malformed([{ path: 'body.to', message: messageOf(requested.failure) }]);
    return ok({ location: addressOfExport(requested.value), body: toAuditExportView(requested.value) });
  },
});

function messageOf(failure: AuditExportFailure): string {
  return failure.code === 'audit_export.window_too_long'
    ? `must be at most ${failure.daysMax} days after "from"`
    : 'must be after "from", which must be in the past';
}
